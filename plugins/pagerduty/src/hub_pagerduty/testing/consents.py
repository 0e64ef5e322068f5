"""What people allowed apps."""

from datetime import datetime
from typing import NamedTuple


class Consent(NamedTuple):
    """What a person allowed an app, until the app fetches its token."""

    client: str
    user: str
    scopes: frozenset[str]
    redirect: str
    challenge: str
    until: datetime
