"""What the hub counts of itself."""
