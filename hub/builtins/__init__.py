"""Plugins that ship inside the hub; they use the same hooks as all others."""

import pkgutil
from importlib import import_module
from types import ModuleType


def modules() -> list[tuple[str, ModuleType]]:
    """Return the built-in plugins that are plain modules, by name.

    Secret backends are not among them: they get the process's environment where the hub is
    put together.
    """
    names = [one.name for one in pkgutil.iter_modules(__path__)]
    found = [(name, import_module(f"{__name__}.{name}")) for name in names]
    return [(name, one) for name, one in found if _has_hooks(one)]


def _has_hooks(module: ModuleType) -> bool:
    return any(hasattr(one, "hub_impl") for one in vars(module).values())
