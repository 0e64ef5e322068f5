"""Telling observers what happened, one at a time."""

import traceback
from dataclasses import dataclass
from typing import Any

import pluggy


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailure:
    """An observer that raised; the hub logs it and counts it against the plugin."""

    plugin: str
    hook: str
    error: str
    traceback: str


def notify(
    manager: pluggy.PluginManager,
    hook: str,
    **facts: Any,  # noqa: ANN401 - the hook's own arguments
) -> tuple[HookFailure, ...]:
    """Call an observer hook of each plugin; return those that failed, after telling all."""
    return tuple(
        failure
        for implementation in getattr(manager.hook, hook).get_hookimpls()
        if (failure := _tell(implementation, hook, facts)) is not None
    )


def _tell(implementation: pluggy.HookImpl, hook: str, facts: dict[str, Any]) -> HookFailure | None:
    try:
        implementation.function(*(facts[name] for name in implementation.argnames))
    except Exception as error:  # noqa: BLE001 - returned to the caller, which logs and counts it
        return HookFailure(
            plugin=implementation.plugin_name,
            hook=hook,
            error=f"{type(error).__name__}: {error}",
            traceback=traceback.format_exc(),
        )
    return None
