"""The contract between the hub and its plugins: all that a plugin may import."""
