"""What the kit asks of ruleset templates; each check returns the faults it found."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hub.rules import Schema, ValueMap, check_rule
from hub.sdk.templates import RulesetTemplate
from hub.testing.samples import sample
from hub.testing.subject import Subject


def template_faults(subject: Subject) -> list[str]:
    """Find templates that give no rules, rules without stable keys, or rules that can't be."""
    return [
        f"{template.name}: {fault}"
        for template in subject.declared.templates
        for fault in (*_faults(template), *_impossible(subject, template))
    ]


def _impossible(subject: Subject, template: RulesetTemplate[Any]) -> Iterator[str]:
    """Check the rules as the hub does when somebody takes the template."""
    schema = _schema(subject, template)
    for index, rule in enumerate(_built(template)):
        bare = {name: value for name, value in rule.items() if name != "key"}
        for problem in check_rule(bare, schema, at=f"/{index}"):
            if problem.severity == "error":
                yield f"{problem.pointer}: {problem.message}"


def _schema(subject: Subject, template: RulesetTemplate[Any]) -> Schema:
    catalog = subject.catalog
    return Schema(
        fields=catalog.fields.values(),
        triggers=catalog.triggers.values(),
        operators=catalog.operators.values(),
        actions=catalog.actions.values(),
        filters=catalog.filters.values(),
        objects=catalog.objects.values(),
        value_maps=[ValueMap.of(name, pairs) for name, pairs in template.value_maps.items()],
        connectors={f"my-{kind}": kind for kind in template.roles.values()},
    )


def _built(template: RulesetTemplate[Any]) -> list[dict[str, Any]]:
    connectors = {role: f"my-{kind}" for role, kind in template.roles.items()}
    params = template.params.model_validate(sample(template.params))
    return list(template.build(params, connectors))


def _faults(template: RulesetTemplate[Any]) -> Iterator[str]:
    rules, again = _built(template), _built(template)
    if not rules:
        yield "gives no rules"
    if rules != again:
        yield "gives other rules each time"
    try:
        json.dumps(rules)
    except TypeError as error:
        yield f"its rules are not JSON: {error}"
    keys = Counter(str(rule.get("key", "")) for rule in rules)
    yield from (f"two rules have the key {key!r}" for key, count in keys.items() if count > 1)
    if "" in keys:
        yield "a rule has no key"
