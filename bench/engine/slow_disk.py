"""Group commit against one commit a request where each fsync takes 2 ms more.

Needs a C compiler: a small library is loaded before the C library's own fsync.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.accept import serving
from bench.engine.options import Options
from bench.load import closed
from bench.places import figure, median, pagerduty_requests, postgres, server, sqlite
from bench.servers import PATH

SLOWER_US = 2000
SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int file) {
  int (*real)(int) = dlsym(RTLD_NEXT, name);
  int done = real(file);
  usleep(%d);
  return done;
}
int fsync(int file) { return slow("fsync", file); }
int fdatasync(int file) { return slow("fdatasync", file); }
"""


def measure(options: Options, server_url: str | None) -> None:
    """Measure on SQLite, and on a PostgreSQL of its own."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        print("slow_disk: no C compiler, nothing measured", file=sys.stderr)
        return
    with slowed(compiler):
        compare("sqlite", sqlite, options, 5)
        if server_url:
            with server() as slow_server:
                compare("postgres", lambda: postgres(slow_server), options, 1.5)


def compare(database: str, place, options: Options, limit: float) -> None:
    """Measure both ways in turn."""
    requests = pagerduty_requests(PATH, int(6000 * options.seconds) + 100)
    shares = []
    for _ in range(options.rounds):
        rates = {}
        for kind in ("store", "single"):
            with place() as url, serving(kind, url) as one:
                rates[kind] = closed(one.port, requests, 64, options.seconds).rate
        shares.append(rates["store"] / rates["single"])
    figure(f"engine.group_over_single_slow_{database}", median(shares), "ratio", limit)


@contextlib.contextmanager
def slowed(compiler: str) -> Iterator[None]:
    """Let the processes that are started inside have a slower disk."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "slow.c"), Path(folder, "slow.so")
        source.write_text(SOURCE % SLOWER_US)
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"]
        subprocess.run(command, check=True)
        os.environ["LD_PRELOAD"] = str(library)
        try:
            yield
        finally:
            del os.environ["LD_PRELOAD"]
