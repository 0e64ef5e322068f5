"""Changes that the org sends by itself."""
