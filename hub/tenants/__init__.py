"""The hub's customers."""
