"""Calls of a plugin that somebody waits for: failures become problems with cause."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hub import logs
from hub.connectors.transport import vendor_call
from hub.errors import HubError, PluginFailed, VendorAway, VendorRefused
from hub.sdk.errors import (
    ConnectorError,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Unavailable,
)

logger = logs.get_logger(__name__)
PATIENCE_S: Final = 50.0


@asynccontextmanager
async def answered(connector: str) -> AsyncIterator[None]:
    """Run a plugin's call for a person: a HubError says what the connector met."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            with vendor_call():
                yield
    except ConnectorError as error:
        raise problem_of(error) from error
    except TimeoutError as error:
        raise VendorAway(f"No answer within {PATIENCE_S:g} s.") from error
    except HubError:
        raise
    except Exception as error:
        logger.exception("plugin failed", connector=connector)
        raise PluginFailed(f"{type(error).__name__}: {error}") from error


def problem_of(error: ConnectorError) -> HubError:
    """Return the problem that tells a client what a connector met."""
    text = logs.redactor.text(str(error))
    if isinstance(error, RateLimited):
        return VendorAway(text, retry_after=error.retry_after or 1)
    if isinstance(error, Unavailable | OutcomeUnknown | QuotaExhausted):
        return VendorAway(text)
    return VendorRefused(text)
