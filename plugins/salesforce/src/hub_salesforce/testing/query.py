"""The SOQL subset of the simulated org: reading the text."""

import re
from dataclasses import dataclass, field
from typing import Any

from hub_salesforce.testing.answers import Refused, refused

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*(?::\d+)?)
    |(?P<sign><=|>=|!=|<>|[=<>(),:;]))""",
    re.VERBOSE,
)
_RANGE = re.compile(r"TODAY|YESTERDAY|THIS_WEEK|THIS_MONTH|LAST_N_DAYS:\d+")
_COMPARE = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_RESERVED = frozenset({"FROM", "WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "AND", "OR"})
_REFUSED = frozenset({"GROUP", "HAVING", "TYPEOF", "FOR", "WITH", "SCOPE"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign, with where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The text in capitals, for key words."""
        return self.text.upper()


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison: field, operator, operand (a literal, or a list of them)."""

    field: str
    op: str
    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Both:
    """AND or OR of parts."""

    op: str
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a part."""

    part: Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal with its kind: string, time, date, number, boolean, null, range."""

    kind: str
    value: Any


@dataclass(kw_only=True)
class Select:
    """A parsed query; a field is (name, place), `children` are sub-queries by relationship."""

    text: str
    fields: list[tuple[str, int]] = field(default_factory=list)
    children: list["Select"] = field(default_factory=list)
    count: str | None = None
    source: str = ""
    source_at: int = 0
    alias: str = ""
    where: Any = None
    order: list[tuple[str, bool, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Select:
    """Return the parsed query; refused as Salesforce refuses it."""
    reader = _Reader(text)
    found = _select(reader)
    if reader.peek:
        raise _unexpected(reader.peek)
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.next = 0

    @property
    def peek(self) -> Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek
        if token is None:
            raise refused("MALFORMED_QUERY", "unexpected token: '<EOF>'")
        self.next += 1
        return token

    def accept(self, *words: str) -> Token | None:
        token = self.peek
        if token and token.kind in {"word", "sign"} and token.word in words:
            self.next += 1
            return token
        return None

    def expect(self, word: str) -> Token:
        token = self.accept(word)
        if token is None:
            raise _unexpected(self.peek)
        return token


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            where = at + len(text[at:]) - len(text[at:].lstrip())
            words = f"line 1:{where} no viable alternative at character '{text[where : where + 1]}'"
            raise refused("MALFORMED_QUERY", words)
        start = match.start(match.lastgroup)
        found.append(Token(match.lastgroup, match[match.lastgroup], start))
        at = match.end()
    return found


def _unexpected(token: Token | None) -> Refused:
    if token and token.text == ":":
        return refused("MALFORMED_QUERY", "Bind variables only allowed in Apex code")
    shown = token.text if token else "<EOF>"
    return refused("MALFORMED_QUERY", f"unexpected token: '{shown}'")


def _select(reader: _Reader, *, child: bool = False) -> Select:
    reader.expect("SELECT")
    found = Select(text=reader.text)
    _fields(reader, found, child=child)
    reader.expect("FROM")
    source = reader.take()
    found.source, found.source_at = source.text, source.at
    following = reader.peek
    if following and following.kind == "word" and following.word not in _RESERVED | _REFUSED:
        found.alias = reader.take().text
    _refuse_unknown(reader)
    if reader.accept("WHERE"):
        found.where = _condition(reader)
    _refuse_unknown(reader)
    _order(reader, found)
    if reader.accept("LIMIT"):
        found.limit = _integer(reader)
    if reader.accept("OFFSET"):
        found.offset = _integer(reader)
        if found.offset > 2000:
            raise refused("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    return found


def _refuse_unknown(reader: _Reader) -> None:
    token = reader.peek
    if token and token.word in _REFUSED:
        raise refused("MALFORMED_QUERY", f"the simulator does not know {token.word}")


def _fields(reader: _Reader, found: Select, *, child: bool) -> None:
    while True:
        if reader.accept("("):
            if child:
                raise _unexpected(Token("sign", "(", 0))
            found.children.append(_select(reader, child=True))
            reader.expect(")")
        else:
            _field(reader, found)
        if not reader.accept(","):
            return


def _field(reader: _Reader, found: Select) -> None:
    token = reader.take()
    if token.kind != "word" or token.word in _RESERVED | _REFUSED:
        raise _unexpected(token)
    if not reader.accept("("):
        found.fields.append((token.text, token.at))
        return
    if token.word == "COUNT":
        inner = reader.accept(")")
        found.count = "" if inner else reader.take().text
        if not inner:
            reader.expect(")")
    elif token.word == "FIELDS":
        which = reader.take().word
        reader.expect(")")
        found.fields.append((f"FIELDS({which})", token.at))
    else:
        raise refused("MALFORMED_QUERY", f"the simulator does not know {token.text}()")


def _condition(reader: _Reader) -> Any:  # noqa: ANN401 - a tree
    """Read conditions of one level; AND and OR do not mix, NOT after them needs parentheses."""
    parts, op = [_term(reader, first=True)], None
    while token := reader.accept("AND", "OR"):
        if op and token.word != op:
            raise _unexpected(token)
        op = token.word
        parts.append(_term(reader, first=False))
    return parts[0] if op is None else Both(op, tuple(parts))


def _term(reader: _Reader, *, first: bool) -> Any:  # noqa: ANN401 - a tree
    token = reader.peek
    if token and token.word == "NOT":
        if not first:
            raise _unexpected(token)
        reader.take()
        return Not(_term(reader, first=True))
    if reader.accept("("):
        inner = _condition(reader)
        reader.expect(")")
        return inner
    return _test(reader)


def _test(reader: _Reader) -> Test:
    name = reader.take()
    if name.kind != "word" or name.word in _RESERVED:
        raise _unexpected(name)
    sign = reader.take()
    if sign.text in _COMPARE:
        return Test(name.text, "!=" if sign.text == "<>" else sign.text, _literal(reader), name.at)
    if sign.word == "LIKE":
        return Test(name.text, "LIKE", _literal(reader), name.at)
    if sign.word == "NOT":
        reader.expect("IN")
        return Test(name.text, "NOT IN", _list(reader), name.at)
    if sign.word in {"IN", "INCLUDES", "EXCLUDES"}:
        return Test(name.text, sign.word, _list(reader), name.at)
    raise _unexpected(sign)


def _list(reader: _Reader) -> list[Literal]:
    reader.expect("(")
    token = reader.peek
    if token and token.word == "SELECT":
        raise refused("MALFORMED_QUERY", "the simulator does not know semi-joins")
    found = [_literal(reader)]
    while reader.accept(","):
        found.append(_literal(reader))
    reader.expect(")")
    return found


def _literal(reader: _Reader) -> Literal:
    token = reader.take()
    if token.kind == "string":
        return Literal("string", _unescaped(token.text[1:-1]))
    if token.kind in {"time", "date"}:
        return Literal(token.kind, token.text)
    if token.kind == "number":
        return Literal("number", float(token.text) if "." in token.text else int(token.text))
    if token.word in {"TRUE", "FALSE"}:
        return Literal("boolean", token.word == "TRUE")
    if token.word == "NULL":
        return Literal("null", None)
    if token.kind == "word" and _RANGE.fullmatch(token.word):
        return Literal("range", token.word)
    raise _unexpected(token)


def _unescaped(text: str) -> str:
    names = {"n": "\n", "r": "\r", "t": "\t"}
    wild = {"%": "\\%", "_": "\\_"}
    return re.sub(r"\\(.)", lambda m: names.get(m[1], wild.get(m[1], m[1])), text)


def _order(reader: _Reader, found: Select) -> None:
    if not reader.accept("ORDER"):
        return
    reader.expect("BY")
    while True:
        name = reader.take().text
        descending = (reader.accept("ASC", "DESC") or Token("", "", 0)).word == "DESC"
        nulls_last = descending
        if reader.accept("NULLS"):
            nulls_last = reader.take().word == "LAST"
        found.order.append((name, descending, nulls_last))
        if not reader.accept(","):
            return


def _integer(reader: _Reader) -> int:
    token = reader.take()
    if token.kind != "number":
        raise _unexpected(token)
    return int(token.text)
