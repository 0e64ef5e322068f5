"""What the kit asks of ruleset templates; each check returns the faults it found."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hub.sdk.templates import RulesetTemplate
from hub.testing.samples import sample
from hub.testing.subject import Subject


def template_faults(subject: Subject) -> list[str]:
    """Find templates that give no rules, or rules without stable keys."""
    return [
        f"{template.name}: {fault}"
        for template in subject.declared.templates
        for fault in _faults(template)
    ]


def _faults(template: RulesetTemplate[Any]) -> Iterator[str]:
    connectors = {role: f"my-{kind}" for role, kind in template.roles.items()}
    params = template.params.model_validate(sample(template.params))
    rules, again = (list(template.build(params, connectors)) for _ in range(2))
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
