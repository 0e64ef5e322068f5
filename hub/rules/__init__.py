"""What rules mean: checked, compiled, matched, explained. Pure: no clock, no I/O."""

from hub.rules.check import check_rule, check_ruleset
from hub.rules.facts import Facts, Linked, Surroundings, build_facts, dump_facts, load_facts
from hub.rules.matches import (
    Disagreement,
    Failure,
    Match,
    PlannedAction,
    RuleTrace,
    Trace,
    run_key,
)
from hub.rules.model import (
    NewerFormat,
    Rule,
    Ruleset,
    content_digest,
    read_rule,
    rule_schema,
    upgrade,
)
from hub.rules.params import render_late, services_needed
from hub.rules.plan import Plan, PlanReplaced, compile_plan
from hub.rules.problems import Problem
from hub.rules.schema import Schema
from hub.rules.templates import ActionOutcome, TemplateError
from hub.rules.value_maps import MapRow, NoRow, ValueMap

__all__ = [
    "ActionOutcome",
    "Disagreement",
    "Facts",
    "Failure",
    "Linked",
    "MapRow",
    "Match",
    "NewerFormat",
    "NoRow",
    "Plan",
    "PlanReplaced",
    "PlannedAction",
    "Problem",
    "Rule",
    "RuleTrace",
    "Ruleset",
    "Schema",
    "Surroundings",
    "TemplateError",
    "Trace",
    "ValueMap",
    "build_facts",
    "check_rule",
    "check_ruleset",
    "compile_plan",
    "content_digest",
    "dump_facts",
    "load_facts",
    "read_rule",
    "render_late",
    "rule_schema",
    "run_key",
    "services_needed",
    "upgrade",
]
