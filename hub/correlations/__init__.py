"""Which records are one matter, what was last seen of them, and which changes are our own."""
