"""Texts cut to PagerDuty's lengths, and descriptions as PagerDuty takes them."""

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

from hub_pagerduty.vocabulary import NOTE_BYTES, TITLE_LENGTH

CUT: Final = "…(cut)"
_ALLOWED: Final = {"p", "br", "b", "i", "a", "ul", "li", "code"}
_MARKUP: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAKS: Final = {"br", "p", "li", "ul", "div", "tr", "h1", "h2", "h3"}


def cut_title(title: str) -> str:
    """Return the title in one line, cut where PagerDuty would refuse it."""
    line = " ".join(title.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def cut_note(note: str, link: str = "") -> str:
    """Return the note cut on a character's border where it is too long, with a link then."""
    if len(note.encode()) <= NOTE_BYTES:
        return note
    ending = f"{CUT} {link}".rstrip()
    room = NOTE_BYTES - len(ending.encode())
    return note.encode()[:room].decode(errors="ignore") + ending


def as_description(text: str, form: str) -> str:
    """Return a description in the form of the setting: simple markup, or plain text.

    Text without markup comes back as it is.
    """
    if not _MARKUP.search(text):
        return text
    reader = _Simple() if form == "html" else _Plain()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts).strip()


class _Simple(HTMLParser):
    """Keeps the allowed tags and links, escapes the rest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._silent += 1
        elif tag == "a":
            href = dict(attrs).get("href") or ""
            safe = href if re.match(r"(https?|mailto):", href, re.IGNORECASE) else ""
            self.parts.append(f'<a href="{escape(safe)}">' if safe else "<a>")
        elif tag in _ALLOWED:
            self.parts.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent = max(0, self._silent - 1)
        elif tag in _ALLOWED and tag != "br":
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(escape(data, quote=False))


class _Plain(_Simple):
    """Keeps the text alone, with line breaks where blocks were."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            super().handle_starttag(tag, attrs)
        elif tag in _BREAKS and self.parts:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            super().handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(unescape(data))
