"""The text of rich notes."""

from html.parser import HTMLParser

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


def plain_text(html: str) -> str:
    """Return the text of HTML: blocks are lines, links keep their address, scripts are dropped."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


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
