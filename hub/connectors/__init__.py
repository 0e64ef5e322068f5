"""Tenants' configured instances of connector types."""
