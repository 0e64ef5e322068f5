"""Stand-ins for the vendors, and a story that runs on them."""
