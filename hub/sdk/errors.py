"""What a connector met; the class alone decides what happens next."""

from datetime import datetime


class ConnectorError(Exception):
    """The connector could not do what was asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n", 1)[0])


class AuthenticationFailed(ConnectorError):
    """The vendor refused the credentials: the connector waits until a check passes."""


class Rejected(ConnectorError):
    """The vendor refused the request itself: the run is given up with the vendor's words."""


class Cancelled(Rejected):
    """The person turned away at the vendor; nothing was changed."""


class Gone(ConnectorError):
    """The record does not exist any more: its link is broken and the run skipped."""


class Unavailable(ConnectorError):
    """The vendor could not be reached or failed before doing anything: tried again later.

    `retry_after`: in how many seconds at the earliest, if the vendor said so.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(ConnectorError):
    """The answer never came: what happens next depends on the action's `repeat`."""


class RateLimited(ConnectorError):
    """The vendor asks to slow down: tried again after `retry_after` seconds, if it said so."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QuotaExhausted(ConnectorError):
    """The account's quota is used up: the connector is parked until it is renewed."""

    def __init__(self, message: str = "", *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class InvalidSignature(ConnectorError):
    """The request is not signed by the vendor: refused with 401, nothing is stored."""


class InvalidPayload(ConnectorError):
    """The request is genuine but can't be read: kept as unreadable and replayable.

    `pointer` says where the fault is: a JSON pointer, or "" for the whole body.
    """

    def __init__(self, message: str = "", *, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer
