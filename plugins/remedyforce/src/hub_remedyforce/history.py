"""Rows of the incident history: which are notes, and what their text is."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from hub_remedyforce.lookups import ACTION
from hub_remedyforce.names import HISTORY_API, api
from hub_salesforce.kit import NoteShape, id_of

if TYPE_CHECKING:
    from hub_salesforce.kit import SalesforceClient

PARENT, TEXT, RICH, SUMMARY = (
    api("FKIncident__c"),
    api("note__c"),
    api("RichTextNote__c"),
    api("description__c"),
)
ACTION_FIELD, ACTION_NAME, SYSTEM = api("FKAction__c"), api("actionId__c"), api("system__c")
LONGEST = 131_072
NOTES = "Notes"
"""The action that Remedyforce itself gives to notes."""
_BLOCKS = frozenset(
    [
        "address",
        "blockquote",
        "br",
        "div",
        "dl",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "tr",
        "ul",
    ]
)
_DROPPED = frozenset({"script", "style", "head", "title", "template"})


async def action_fields(client: "SalesforceClient", name: str = "") -> dict[str, Any]:
    """Return what makes a history row a note: the action of that name, else the configured one."""
    wanted = name or getattr(client.settings, "note_action", "") or NOTES
    return {ACTION_FIELD: await id_of(client, ACTION, wanted)}


def note_text(row: Mapping[str, Any]) -> str:
    """Return a row's text: its rich text without the markup, else its note, else its summary."""
    rich = plain_text(str(row.get(RICH) or ""))
    return rich or str(row.get(TEXT) or "").strip() or str(row.get(SUMMARY) or "").strip()


def is_note(row: Mapping[str, Any]) -> bool:
    """Tell what people wrote from what the package records about status changes and e-mails."""
    return str(row.get(SYSTEM) or "").lower() != "true" and bool(note_text(row))


def plain_text(html: str) -> str:
    """Return the text of HTML: blocks are lines, links keep their address, scripts are dropped."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


HISTORY = NoteShape(
    api_name=HISTORY_API,
    parent=PARENT,
    text=TEXT,
    longest=LONGEST,
    kind=ACTION_NAME,
    reads=(RICH, SUMMARY, SYSTEM),
    read_text=note_text,
    counts=is_note,
    complete=action_fields,
)


class _Text(HTMLParser):
    """Collects the text of a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str] = []
        self._dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a block or a link begins."""
        if tag in _DROPPED:
            self._dropped += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        """Close a block, or name a link's address."""
        if tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag == "a" and self._links:
            self._close_link(self._links.pop())

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._dropped:
            self.parts.append(" ".join(data.splitlines()) if "\n" in data else data)

    def _close_link(self, address: str) -> None:
        shown = self.parts[-1].strip() if self.parts else ""
        if address.startswith(("http://", "https://", "mailto:")) and address != shown:
            self.parts.append(f" ({address})")
