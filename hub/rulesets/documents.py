"""Rulesets as YAML and JSON documents: read without surprises, written to be read. Pure."""

import json
from typing import Any, Final

import yaml
from pydantic import ValidationError

from hub.errors import BadRequest, Fault, Invalid
from hub.http.faults import pointer_of
from hub.rulesets.schemas import RulesetsDocument

_BREAKS: Final = frozenset("\r\x85\u2028\u2029")
"""What YAML takes for the end of a line unless it is escaped."""


class _Plain(yaml.SafeLoader):
    """YAML as JSON: no aliases (they multiply), no dates, no repeated keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's signature
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (&name, *name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401, FBT001, FBT002 - PyYAML's signature
        keys = [one.value for one, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f"the key {key!r} is there twice (below line {line})")
        return super().construct_mapping(node, deep)


_Plain.yaml_implicit_resolvers = {
    mark: [(tag, pattern) for tag, pattern in listed if tag != "tag:yaml.org,2002:timestamp"]
    for mark, listed in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Written(yaml.SafeDumper):
    """YAML for people: lists indented, no aliases, long texts as they are."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        return super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Written.add_representer(str, _text)


def to_yaml(document: RulesetsDocument) -> str:
    """Write a document as YAML."""
    given = document.model_dump(mode="json", exclude_none=True)
    return yaml.dump(given, Dumper=_Written, sort_keys=False, allow_unicode=True, width=100)


def to_json(document: RulesetsDocument) -> str:
    """Write a document as JSON."""
    given = document.model_dump(mode="json", exclude_none=True)
    return json.dumps(given, indent=2, ensure_ascii=False)


def read_document(raw: bytes, content_type: str) -> RulesetsDocument:
    """Read a document; BadRequest when it is none, Invalid lists every fault of its form."""
    given = _yaml(raw) if "yaml" in content_type else _json(raw)
    if isinstance(given, dict) and "rules" in given and "rulesets" not in given:
        given = {"format": 1, "rulesets": [given]}
    try:
        return RulesetsDocument.model_validate(given)
    except ValidationError as error:
        faults = [
            Fault(pointer_of(one["loc"]), one["msg"].removeprefix("Value error, "), one["type"])
            for one in error.errors(include_url=False)
        ]
        count = "One thing" if len(faults) == 1 else f"{len(faults)} things"
        raise Invalid(f"{count} in the document can't be used.", errors=faults) from error


def _yaml(raw: bytes) -> Any:  # noqa: ANN401 - any document
    try:
        return yaml.load(raw.decode("utf-8"), Loader=_Plain)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not YAML: {' '.join(str(error).split())}.") from error


def _json(raw: bytes) -> Any:  # noqa: ANN401 - any document
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
