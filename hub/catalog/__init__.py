"""What the installed plugins declare: loaded one by one, checked, immutable."""

from hub.catalog.catalog import Catalog
from hub.catalog.consistency import Problem
from hub.catalog.contributions import Contribution
from hub.catalog.observers import HookFailure, notify
from hub.catalog.plugins import (
    Loaded,
    PluginBroken,
    PluginReport,
    PluginState,
    contribution_of,
    load_plugins,
)

__all__ = [
    "Catalog",
    "Contribution",
    "HookFailure",
    "Loaded",
    "PluginBroken",
    "PluginReport",
    "PluginState",
    "Problem",
    "contribution_of",
    "load_plugins",
    "notify",
]
