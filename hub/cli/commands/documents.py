"""Documents as people read and edit them: YAML with texts of several lines as blocks."""

import json

import yaml

_BREAKS = frozenset("\r\x85\u2028\u2029")
"""What YAML takes for the end of a line unless it is escaped."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: object) -> str:
    """Return a document as YAML, its members in the order given."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text.rstrip()


def as_json(document: object) -> str:
    """Return a document as JSON, its members in the order given."""
    return json.dumps(document, indent=2, ensure_ascii=False)
