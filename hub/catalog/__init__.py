"""What the installed plugins declare: loaded one by one, checked, immutable."""

from hub.catalog.catalog import Catalog
from hub.catalog.consistency import Problem
from hub.catalog.observers import HookFailure, notify
from hub.catalog.plugins import Loaded, PluginReport, PluginState, load_plugins

__all__ = [
    "Catalog",
    "HookFailure",
    "Loaded",
    "PluginReport",
    "PluginState",
    "Problem",
    "load_plugins",
    "notify",
]
