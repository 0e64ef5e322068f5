"""Logging: structlog over the standard library, with context and redaction.

A plugin's plain `logging.getLogger(__name__)` comes out as complete as the hub's own lines.
"""

import logging
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any, Final

import structlog
from structlog.contextvars import (
    STRUCTLOG_KEY_PREFIX,
    bind_contextvars,
    reset_contextvars,
)
from structlog.typing import EventDict, Processor, WrappedLogger

from hub.settings import LoggingSettings

HIDDEN: Final = "[hidden]"
_SECRET_KEY: Final = re.compile(
    r"authorization|passw|secret|token|api[-_]?key|private[-_]?key|routing[-_]?key|assertion"
    r"|cookie|credential|signature",
    re.IGNORECASE,
)
_HARMLESS_KEY: Final = re.compile(r"^(token_type|next_page_token|secret_set|.*_id)$")
_SHORTEST_SECRET: Final = 6
request_id: Final[ContextVar[str]] = ContextVar(f"{STRUCTLOG_KEY_PREFIX}request")
"""The request that is served, a fact of all its lines: `set` it, and `reset` it in the end.

structlog finds it by its name. What `context` does for any fact costs much more.
"""


class Redactor:
    """Knows the secrets in use and takes them out of whatever is written down."""

    def __init__(self) -> None:
        self._known: Counter[str] = Counter()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these values from now on; each `add` wants its `remove`."""
        self._known.update(value for value in secrets if len(value) >= _SHORTEST_SECRET)
        self._pattern = None

    def remove(self, secrets: Iterable[str]) -> None:
        """Stop hiding these values for one of those who added them."""
        self._known.subtract(value for value in secrets if len(value) >= _SHORTEST_SECRET)
        self._known = +self._known
        self._pattern = None

    def text(self, text: str) -> str:
        """Return the text without any secret in use."""
        if not self._known:
            return text
        if self._pattern is None:
            longest_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(value) for value in longest_first))
        return self._pattern.sub(HIDDEN, text)

    def value(self, key: str, value: Any) -> Any:  # noqa: ANN401 - anything can be logged
        """Return what may be written down of a value under this key."""
        if is_secret_key(key) and not isinstance(value, bool | None):
            return HIDDEN
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(name): self.value(str(name), one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value("", one) for one in value]
        return value


redactor: Final = Redactor()
"""The process's redactor: connectors add their secrets when they are opened."""


def is_secret_key(key: str) -> bool:
    """Whether what is kept under this name is secret whatever it looks like."""
    return bool(_SECRET_KEY.search(key)) and not _HARMLESS_KEY.match(key)


def names_secret(text: str) -> bool:
    """Whether anything in a text looks like the name of a secret."""
    return _SECRET_KEY.search(text) is not None


@contextmanager
def context(**facts: object) -> Iterator[None]:
    """Add facts (tenant, connector, delivery, event, run) to all lines within."""
    tokens = bind_contextvars(**{name: fact for name, fact in facts.items() if fact is not None})
    try:
        yield
    finally:
        reset_contextvars(**tokens)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose facts are keyword arguments."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure(settings: LoggingSettings, *, stream: IO[str] | None = None) -> None:
    """Write the process's log to `stream` (standard error)."""
    out = stream or sys.stderr
    console = settings.format == "console" or (settings.format == "auto" and out.isatty())
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(console=console))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for noisy in ("httpx", "httpcore", "aiosqlite", "asyncio", "uvicorn.access", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]


def _formatter(*, console: bool) -> logging.Formatter:
    last: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer()
    )
    foreign: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=foreign,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _plain,
            _redact,
            last,
        ],
    )


def _plain(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Drop the copy of a line, with escape codes, that uvicorn keeps for terminals."""
    line.pop("color_message", None)
    return line


def _redact(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {key: redactor.value(key, value) for key, value in line.items()}
