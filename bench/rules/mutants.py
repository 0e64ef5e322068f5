"""Mutation testing of the rules: small faults are put in, and the tests must notice.

    python -m bench.rules.mutants               every file, a sample of its mutants
    python -m bench.rules.mutants level keys    these files
    python -m bench.rules.mutants --all level   every mutant of a file
    python -m bench.rules.mutants --every 5     every fifth
    python -m bench.rules.mutants --quick ...   what lives in the forked child is not tried again

Prints one JSON object a mutant that lives, and one a file. What is known to live, and why, is
told in docs/explanation/rules.md.

The tests are collected once and traced once, so that it is known which of them call which
function. Then a child is forked for each fault: it gets the function with its fault and runs
the tests that call it, the quickest first. What lives then, and faults outside functions, are
tried once more in a process that has the fault from its start.
"""

import gc
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from functools import cache
from types import FunctionType

import pytest
from _pytest.runner import runtestprotocol

from bench.rules.mutation import ROOT, RULES, Mutant, places

TESTS = "tests/unit/rules/"
SAMPLE = 12
SECONDS = 90
PATIENCE = 20
CACHED = type(cache(len))
FILES = {
    "check": ["test_check", "test_failures", "test_changes", "test_limits"],
    "check_actions": ["test_check", "test_changes", "test_limits"],
    "compiler": ["test_plan", "test_changes", "test_failures", "test_differential"],
    "conditions": ["test_operators", "test_failures", "test_tables", "test_differential"],
    "cover": ["test_tables", "test_differential", "test_counts"],
    "entries": ["test_plan", "test_changes"],
    "explain": ["test_explain", "test_failures", "test_operators"],
    "explaining": ["test_explain", "test_plan"],
    "facts": ["test_facts", "test_operators"],
    "finders": ["test_text", "test_changes"],
    "index": ["test_changes", "test_plan", "test_differential"],
    "keys": ["test_tables", "test_changes", "test_differential"],
    "level": ["test_changes", "test_differential", "test_counts"],
    "matches": ["test_laws", "test_explain", "test_plan", "test_limits"],
    "model": ["test_model", "test_check", "test_plan", "test_limits"],
    "operands": ["test_check", "test_operators", "test_differential", "test_limits"],
    "params": ["test_templates", "test_check", "test_limits"],
    "plan": ["test_changes", "test_plan"],
    "planning": ["test_plan", "test_templates", "test_explain", "test_limits"],
    "problems": ["test_check"],
    "ranges": ["test_tables", "test_differential"],
    "schema": ["test_changes", "test_check", "test_operators"],
    "state": ["test_changes", "test_plan", "test_differential"],
    "template_syntax": ["test_templates", "test_limits"],
    "templates": ["test_templates", "test_check", "test_limits"],
    "text": ["test_text", "test_check", "test_limits"],
    "trie": ["test_changes", "test_differential", "test_counts"],
    "value_maps": ["test_templates"],
    "values": ["test_facts", "test_operators", "test_explain", "test_limits"],
    "view": ["test_operators", "test_tables", "test_differential"],
    "views": ["test_plan", "test_explain", "test_differential"],
    "words": ["test_explain"],
}


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module with its fault."""

    def __init__(self, mutant):
        self.mutant = mutant
        self.module = f"hub.rules.{mutant.name}"

    def find_spec(self, fullname, *_):
        if fullname != self.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self.mutant.path))

    def exec_module(self, module):
        exec(self.mutant.code(), module.__dict__)


def options():
    without = [word for one in ("randomly", "cacheprovider") for word in ("-p", f"no:{one}")]
    return ["-q", "--no-header", "-o", "addopts=--import-mode=importlib", *without]


def run_one(name, place):
    """Run the tests of a file with one fault in it; the exit status is pytest's."""
    sys.meta_path.insert(0, Loader(Mutant(name, place)))
    return pytest.main(["-x", *options(), *(f"{TESTS}{one}.py" for one in FILES[name])])


def lives_from_the_start(mutant):
    """Tell whether the tests of the file pass in a process that never had the file whole."""
    command = [sys.executable, "-m", "bench.rules.mutants", "--one", mutant.name, str(mutant.place)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, cwd=ROOT, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


class Tests:
    """The collected tests: how long each takes, and which functions of the rules each calls."""

    def __init__(self, items):
        self.took = {}
        self.calling = defaultdict(set)
        for item in items:
            self._traced(item)
        self.functions, self.caches = defaultdict(list), []
        for one in gc.get_objects():
            if isinstance(one, CACHED) and one.__module__.startswith("hub.rules"):
                self.caches.append(one)
            if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(RULES)):
                code = one.__code__
                self.functions[code.co_filename, code.co_qualname].append(one)

    def _traced(self, item):
        called = set()
        start = str(RULES)

        def trace(frame, _event, _arg):
            code = frame.f_code
            if code.co_filename.startswith(start):
                called.add((code.co_filename, code.co_firstlineno))

        started = time.perf_counter()
        sys.settrace(trace)
        try:
            reports = runtestprotocol(item, nextitem=None, log=False)
        finally:
            sys.settrace(None)
        if any(one.failed for one in reports):
            raise SystemExit(f"{item.nodeid} fails without any fault")
        self.took[item] = time.perf_counter() - started
        for where in called:
            self.calling[where].add(item)

    def of(self, mutant):
        """Give the tests that call the function with the fault, the quickest first."""
        lines = range(mutant.within.starts, mutant.within.ends + 1)
        found = set().union(*(self.calling.get((str(mutant.path), one), ()) for one in lines))
        return sorted(found, key=self.took.get)

    def live_with(self, mutant):
        """Tell whether they pass with the fault, in a forked child."""
        code = mutant.code_of_function()
        functions = self.functions[str(mutant.path), mutant.within.qualname]
        if code is None or not functions:
            return True
        chosen = self.of(mutant)
        child = os.fork()
        if child == 0:
            for one in self.caches:
                one.cache_clear()
            os._exit(_tried(functions, code, chosen))
        return _ended(child, PATIENCE + 10 * sum(self.took[one] for one in chosen)) == 0


def _tried(functions, code, chosen):
    try:
        for one in functions:
            one.__code__ = code
        for item in chosen:
            if any(one.failed for one in runtestprotocol(item, nextitem=None, log=False)):
                return 1
    except BaseException:  # noqa: BLE001  whatever is raised, the fault was noticed
        return 1
    return 0


def _ended(child, seconds):
    """Wait for a child; one that takes far longer than without its fault has noticed it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def lives(tests, mutant, *, quick):
    """Tell whether nothing notices the fault."""
    if mutant.within is None:
        return lives_from_the_start(mutant)
    return tests.live_with(mutant) and (quick or lives_from_the_start(mutant))


def test_file(tests, name, chosen, *, quick):
    started, alive = time.perf_counter(), 0
    for place in chosen:
        mutant = Mutant(name, place)
        if lives(tests, mutant, quick=quick):
            alive += 1
            print(json.dumps({"lives": name, "place": place, "what": mutant.what}), flush=True)
    killed = 1 - alive / max(1, len(chosen))
    took = round(time.perf_counter() - started)
    line = {"figure": f"rules.mutants_killed_{name}", "value": round(killed, 3), "unit": "share"}
    print(json.dumps(line | {"mutants": len(chosen), "lived": alive, "seconds": took}), flush=True)
    return len(chosen), alive


def choose(name, how, every):
    count = places(name)
    if how == "all":
        return range(count)
    if how == "every":
        return range(0, count, every)
    return sorted(random.Random(name).sample(range(count), min(SAMPLE, count)))


class Session:
    """The plugin that takes pytest's place once the tests are collected."""

    def __init__(self, names, how, every, *, quick):
        self.asked = names, how, every
        self.quick = quick

    def pytest_collection(self):
        from hypothesis import HealthCheck, settings  # noqa: PLC0415  pytest's plugin comes first

        calm = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        settings.register_profile("mutants", deadline=None, suppress_health_check=calm)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session):
        names, how, every = self.asked
        with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            tests = Tests(session.items)
            counts = [
                test_file(tests, name, choose(name, how, every), quick=self.quick) for name in names
            ]
            total, alive = map(sum, zip(*counts, strict=True))
            share = round(1 - alive / max(1, total), 3)
            line = {"figure": "rules.mutants_killed", "value": share, "unit": "share"}
            print(json.dumps(line | {"mutants": total, "lived": alive}), flush=True)
        return True


def main(arguments):
    if arguments[:1] == ["--one"]:
        return run_one(arguments[1], int(arguments[2]))
    how, every, quick = "sample", 1, arguments[:1] == ["--quick"]
    arguments = arguments[quick:]
    if arguments[:1] == ["--all"]:
        how, arguments = "all", arguments[1:]
    elif arguments[:1] == ["--every"]:
        how, every, arguments = "every", int(arguments[1]), arguments[2:]
    names = arguments or list(FILES)
    wanted = {test for name in names for test in FILES[name]}
    paths = [f"{TESTS}{one}.py" for one in sorted(wanted)]
    asked = [*options(), "-o", "timeout=0", *paths]
    return pytest.main(asked, plugins=[Session(names, how, every, quick=quick)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
