"""Loading plugins one by one: a broken one is put into quarantine, the others are used.

Each plugin is first registered with a manager of its own, so that nothing of one that
fails half-way is left behind in the hub's.
"""

import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed_entry_points
from itertools import groupby
from time import perf_counter
from types import MappingProxyType
from typing import Any

import pluggy

from hub.catalog.catalog import Catalog
from hub.catalog.consistency import Problem, judge
from hub.catalog.contributions import REGISTER_HOOKS, Contribution, Kind, fits
from hub.sdk import hookspecs

GROUP = "hub"
SLOW_HOOK_S = 2.0


class PluginState(StrEnum):
    """What became of a plugin."""

    LOADED = "loaded"
    QUARANTINED = "quarantined"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """What became of one plugin, for whoever operates the hub.

    `reason` says in one line why it is in quarantine, `hook` where, `traceback` in full.
    `problems` are all faults of its declarations; those of a loaded plugin were left out.
    `warnings` harm nothing. `connector_types` are those that it declares or would declare.
    """

    name: str
    state: PluginState = PluginState.LOADED
    builtin: bool = False
    distribution: str = ""
    version: str = ""
    module: str = ""
    reason: str = ""
    hook: str = ""
    traceback: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    connector_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The plugins that are in use, what they declare, and a report on each that was found."""

    manager: pluggy.PluginManager
    catalog: Catalog
    reports: tuple[PluginReport, ...]

    def report(self, name: str) -> PluginReport | None:
        """Return the report on a plugin."""
        return next((one for one in self.reports if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    report: PluginReport
    load: Callable[[], object]
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A plugin that answered; or, without a contribution, one in quarantine."""

    report: PluginReport
    plugin: object = None
    contribution: Contribution | None = None


class PluginBroken(Exception):
    """A plugin can't be used; the message says why, `hook` where."""

    def __init__(self, reason: str, *, hook: str = "") -> None:
        super().__init__(reason)
        self.hook = hook


def load_plugins(
    builtin: Sequence[tuple[str, object]],
    blocked: Collection[str] = (),
    entry_points: Iterable[EntryPoint] | None = None,
    *,
    timer: Callable[[], float] = perf_counter,
) -> Loaded:
    """Load the built-in plugins, then those installed (entry points of the group `hub`).

    Never raises for a plugin's fault. `blocked` names plugins that are not loaded.
    `entry_points` stands in for the installed ones.
    """
    found = installed_entry_points(group=GROUP) if entry_points is None else entry_points
    candidates = [*_built_in(builtin), *_installed(found)]
    asked = _ask_all(candidates, blocked, timer)
    verdict = judge([one.contribution for one in asked if one.contribution is not None])
    reports = tuple(
        _judged(
            one.report,
            verdict.refused.get(one.report.name, ()),
            verdict.dropped.get(one.report.name, ()),
        )
        if one.contribution
        else one.report
        for one in asked
    )
    manager = new_manager()
    kept = {contribution.plugin for contribution in verdict.kept}
    for one in asked:
        if one.contribution is not None and one.report.name in kept:
            manager.register(one.plugin, one.report.name)
    versions = {one.name: one.version for one in reports}
    catalog = replace(Catalog.of(verdict.kept), versions=MappingProxyType(versions))
    return Loaded(manager=manager, catalog=catalog, reports=reports)


def contribution_of(plugin: object, name: str) -> Contribution:
    """Ask one plugin what it declares; PluginBroken when it can't be asked."""
    report = PluginReport(name=name)
    return _contribution(report, _registered(plugin, name), perf_counter)[0]


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hub's hooks and no plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _built_in(builtin: Sequence[tuple[str, object]]) -> Iterator[_Candidate]:
    for name, module in builtin:
        report = PluginReport(
            name=name,
            builtin=True,
            distribution="integration-hub",
            module=getattr(module, "__name__", ""),
        )
        yield _Candidate(report=report, load=lambda module=module: module)  # type: ignore[misc]  # mypy can't infer a lambda with a default


def _installed(found: Iterable[EntryPoint]) -> Iterator[_Candidate]:
    listed = sorted(found, key=_order)
    for name, several in groupby(listed, key=lambda one: one.name):
        first, *others = several
        if others and _distribution(first) != f"hub-{name}":
            owners = " and ".join(sorted(_distribution(one) or "?" for one in (first, *others)))
            refusal = f"The name {name!r} is taken by {owners}: uninstall all but one."
            for one in (first, *others):
                yield _Candidate(report=_found(one), load=one.load, refusal=refusal)
            continue
        for one in (first, *others):
            yield _Candidate(report=_found(one), load=one.load)


def _order(one: EntryPoint) -> tuple[str, bool, str]:
    """Sort by name; of several with one name, the distribution that is called like it is first."""
    return one.name, _distribution(one) != f"hub-{one.name}", _distribution(one)


def _distribution(one: EntryPoint) -> str:
    return one.dist.name if one.dist else ""


def _found(one: EntryPoint) -> PluginReport:
    return PluginReport(
        name=one.name,
        distribution=_distribution(one),
        version=one.dist.version if one.dist else "",
        module=one.value,
    )


def _ask_all(
    candidates: Sequence[_Candidate], blocked: Collection[str], timer: Callable[[], float]
) -> list[_Asked]:
    asked: list[_Asked] = []
    for candidate in candidates:
        if candidate.report.name in blocked:
            report = replace(
                candidate.report, state=PluginState.BLOCKED, reason="Blocked by the settings."
            )
            asked.append(_Asked(report=report))
        else:
            asked.append(_ask(candidate, asked, timer))
    return asked


def _ask(candidate: _Candidate, before: Sequence[_Asked], timer: Callable[[], float]) -> _Asked:
    report = candidate.report
    try:
        if candidate.refusal:
            raise PluginBroken(candidate.refusal)  # noqa: TRY301 - as the others
        _refuse_taken_name(report, before)
        plugin = _load(candidate)
        _refuse_second_registration(plugin, before)
        manager = _registered(plugin, report.name)
        contribution, slow = _contribution(report, manager, timer)
    except PluginBroken as broken:
        return _Asked(report=_quarantined(report, broken))
    warnings = (*_unmarked(plugin), *slow)
    names = tuple(one.name for one in contribution.connector_types)
    kept = replace(report, warnings=warnings, connector_types=names)
    return _Asked(report=kept, plugin=plugin, contribution=contribution)


def _quarantined(report: PluginReport, broken: PluginBroken) -> PluginReport:
    cause = broken.__cause__
    return replace(
        report,
        state=PluginState.QUARANTINED,
        reason=str(broken),
        hook=broken.hook,
        traceback="".join(traceback.format_exception(cause)) if cause else "",
    )


def _refuse_taken_name(report: PluginReport, before: Sequence[_Asked]) -> None:
    for other in before:
        if other.report.name == report.name:
            owner = other.report.distribution or "another distribution"
            raise PluginBroken(f"The name {report.name!r} is taken by {owner}.")


def _refuse_second_registration(plugin: object, before: Sequence[_Asked]) -> None:
    for other in before:
        if other.plugin is not None and other.plugin == plugin:
            raise PluginBroken(f"The same module is the plugin {other.report.name!r} already.")


def _load(candidate: _Candidate) -> object:
    try:
        return candidate.load()
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"It can't be imported: {_in_short(error)}") from error


def _registered(plugin: object, name: str) -> pluggy.PluginManager:
    manager = new_manager()
    try:
        manager.register(plugin, name)
    except Exception as error:
        raise PluginBroken(f"Its hooks can't be registered: {_in_short(error)}") from error
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            raise PluginBroken(f"There is no hook {caller.name!r}.", hook=caller.name)
    return manager


def _contribution(
    report: PluginReport, manager: pluggy.PluginManager, timer: Callable[[], float]
) -> tuple[Contribution, list[str]]:
    slow: list[str] = []
    declared: dict[str, tuple[Any, ...]] = {}
    for hook, kind in REGISTER_HOOKS.items():
        started = timer()
        declared[kind.member] = tuple(_declared(manager, hook, kind))
        took = timer() - started
        if took > SLOW_HOOK_S:
            slow.append(f"{hook} took {took:.1f} s; hooks must not wait for anything.")
    return Contribution(plugin=report.name, builtin=report.builtin, **declared), slow


def _declared(manager: pluggy.PluginManager, hook: str, kind: Kind) -> Iterator[Any]:
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        try:
            answer = implementation.function()
        except (Exception, SystemExit) as error:
            raise PluginBroken(f"{hook} raised {_in_short(error)}", hook=hook) from error
        yield from _checked(answer, hook, kind)


def _checked(answer: object, hook: str, kind: Kind) -> Iterator[Any]:
    if hasattr(answer, "close") and not isinstance(answer, Sequence):
        answer.close()
    if isinstance(answer, str) or not isinstance(answer, Sequence):
        raise PluginBroken(
            f"{hook} must return a sequence, found {type(answer).__name__}.", hook=hook
        )
    for one in answer:
        if not fits(one, kind):
            wanted = kind.type.__name__ if kind.type else "SecretBackend"
            raise PluginBroken(f"{hook} must return {wanted}s, found {one!r:.200}.", hook=hook)
        yield one


def _unmarked(plugin: object) -> Iterator[str]:
    for name, member in vars(plugin).items() if hasattr(plugin, "__dict__") else ():
        if name.startswith("hub_") and callable(member) and not hasattr(member, "hub_impl"):
            yield f"{name} is not marked with @hookimpl and never called."


def _judged(
    report: PluginReport, refused: Sequence[Problem], dropped: Sequence[Problem]
) -> PluginReport:
    if not refused:
        return replace(report, problems=tuple(dropped))
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return replace(
        report,
        state=PluginState.QUARANTINED,
        reason=f"Its declarations can't be used: {refused[0]}{more}.",
        hook=_hook_of(refused[0]),
        problems=tuple(refused),
    )


def _hook_of(problem: Problem) -> str:
    return next(hook for hook, kind in REGISTER_HOOKS.items() if kind.word == problem.kind)


def _in_short(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
