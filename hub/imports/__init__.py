"""Existing records, read once on request: asked for, followed, stopped."""
