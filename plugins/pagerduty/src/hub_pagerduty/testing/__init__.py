"""PagerDuty's stateful stand-in."""

import hub


def simulator() -> hub.Simulator:
    """Return a stand-in with a small plausible account."""
    raise NotImplementedError
