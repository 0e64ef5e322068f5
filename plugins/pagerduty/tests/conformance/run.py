"""Print how well requests and simulator agree with what PagerDuty publishes: JSON lines.

    VENDOR_DATA=/path/to/vendor python plugins/pagerduty/tests/conformance/run.py

`VENDOR_DATA` is the folder that has pagerduty/openapi in it.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pd_folder import vendor_folder
from pd_judgement import Judgement, allowed, judged
from pd_vendor_client import drive


def main() -> int:
    """Print the figures; 1 when something does not agree."""
    folder = vendor_folder()
    if folder is None:
        sys.stderr.write("Set VENDOR_DATA to the folder with PagerDuty's documents.\n")
        return 2
    found = judged(folder)
    calls, faults = drive()
    for name, value in _figures(found, calls, faults).items():
        line = {"figure": f"conformance.pagerduty.{name}", "value": value, "unit": "count"}
        sys.stdout.write(json.dumps(line) + "\n")
    for fault in [*found.failures, *faults]:
        sys.stderr.write(fault + "\n")
    return 1 if found.failures or faults else 0


def _figures(found: Judgement, calls: int, faults: list[str]) -> dict[str, int]:
    return {
        "requests": len(found.shapes),
        "responses": found.responses,
        "client_calls": calls,
        "deviations": allowed(),
        "failures": len(found.failures) + len(faults),
    }


if __name__ == "__main__":
    sys.exit(main())
