"""Where PagerDuty's published documents lie, if anybody says so."""

import os
from pathlib import Path


def vendor_folder() -> Path | None:
    """Return the folder of the published documents, where it is given."""
    given = os.environ.get("VENDOR_DATA", "")
    for folder in (Path(given) / "pagerduty" / "openapi", Path(given) / "openapi"):
        if given and folder.is_dir():
            return folder
    return None
