"""Plugins that ship inside the hub; they use the same hooks as all others."""
