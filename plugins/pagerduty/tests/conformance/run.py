"""Print how well requests and simulator agree with what PagerDuty publishes: JSON lines.

    VENDOR_DATA=/path/to/vendor python plugins/pagerduty/tests/conformance/run.py

`VENDOR_DATA` is the folder that has pagerduty/openapi in it.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pd_folder import vendor_folder
from pd_judgement import allowed, judged
from pd_vendor_client import drive


def main() -> int:
    """Print the figures; 1 when something does not agree."""
    calls, faults = drive()
    figures, failures = {"client_calls": calls}, list(faults)
    folder = vendor_folder()
    if folder is None:
        sys.stderr.write("Skipped: VENDOR_DATA names no folder with PagerDuty's documents.\n")
    else:
        found = judged(folder)
        failures += found.failures
        figures |= {
            "requests": len(found.shapes),
            "responses": found.responses,
            "deviations": allowed(),
        }
    for name, value in {**figures, "failures": len(failures)}.items():
        line = {"figure": f"conformance.pagerduty.{name}", "value": value, "unit": "count"}
        sys.stdout.write(json.dumps(line) + "\n")
    for failure in failures:
        sys.stderr.write(failure + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
