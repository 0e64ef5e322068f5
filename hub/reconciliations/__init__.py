"""Linked records read anew: what differs from what the hub knows."""
