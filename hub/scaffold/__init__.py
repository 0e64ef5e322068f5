"""What `hub plugins new NAME` writes: a plugin with its tests, which pass the contract kit."""

from hub.scaffold.writing import ScaffoldRefused, write_plugin

__all__ = ["ScaffoldRefused", "write_plugin"]
