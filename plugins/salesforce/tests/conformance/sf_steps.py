"""Steps that others' programs take, each judged by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Steps:
    """Counts calls and keeps what went wrong."""

    name: str
    calls: int = 0
    failures: list[str] = field(default_factory=list)

    def step(self, what: str, act: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
        """Take a step; an exception, or a result that is not as wanted, is a failure."""
        self.calls += 1
        try:
            found = act()
        except Exception as error:  # noqa: BLE001 - whatever a foreign client raises is a finding
            self.failures.append(f"{self.name}: {what}: {type(error).__name__}: {error}")
            return None
        if not wanted(found):
            self.failures.append(f"{self.name}: {what}: {found!r:.200}")
        return found

    def refused(self, what: str, act: Callable[[], Any], word: str) -> None:
        """Take a step that must be refused with `word` in the refusal."""
        self.calls += 1
        try:
            found = act()
        except Exception as error:  # noqa: BLE001 - as above
            if word not in str(error):
                self.failures.append(f"{self.name}: {what}: {error}, without {word}")
            return
        self.failures.append(f"{self.name}: {what}: passed with {found!r:.200}")
