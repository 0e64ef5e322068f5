"""Measure the delivery engine: `python -m bench.engine [part …] [--scale small] [--rounds 3]`.

Ours and the ceiling are measured in turn, round by round; figures are medians over rounds.
Every gate of the engine has its "limit" and "ok" beside the value.
"""

import contextlib

from bench import accept
from bench.engine import dispatch, drain, growth, http_out, slow_disk
from bench.engine.options import read_options
from bench.places import server

PARTS = {
    "accept": accept.measure_all,
    "drain": drain.measure,
    "dispatch": dispatch.measure,
    "http_out": http_out.measure,
    "slow_disk": slow_disk.measure,
    "growth": growth.measure,
}


def main() -> None:
    """Measure the parts that were asked for."""
    options = read_options(tuple(PARTS))
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(server()) if options.postgres else None
        for name in options.only:
            PARTS[name](options, url)


if __name__ == "__main__":
    main()
