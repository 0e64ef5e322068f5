"""The index finds exactly what direct evaluation finds, event by event."""

import pytest

from hub.rules import Rule
from hub.rules.level import Shape
from hub.rules.plan import Plan
from hub.rules.state import State
from tests.unit.rules.direct import Direct
from tests.unit.rules.random_world import Chance
from tests.unit.rules.world import ruleset, schema

ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu")
HOME = ruleset()


class Run:
    """A plan that lives: rules come and go between events."""

    def __init__(self, seed, split=3):
        self.schema = schema(zone=ZONES[seed % len(ZONES)])
        self.chance = Chance(seed, self.schema)
        self.rules = {}
        self.made = 0
        self.matches = 0
        self.plan = Plan(State(self.schema, Shape(split=split)), 1)
        self.add(self.chance.random.choice((1, 5, 20, 60, 150)))

    def add(self, count):
        fresh = [self.chance.rule(self.made + at) for at in range(count)]
        self.made += count
        self.rules |= {one["id"]: one for one in fresh}
        added = [Rule.model_validate(one) for one in fresh]
        self.plan = self.plan.with_changes(added, ruleset=HOME)
        assert not self.plan.invalid

    def remove(self, count):
        gone = self.chance.random.sample(sorted(self.rules), min(count, len(self.rules)))
        for one in gone:
            del self.rules[one]
        self.plan = self.plan.with_changes(remove=gone)

    def change(self):
        dice = self.chance.random.random()
        if dice < 0.05:
            self.add(self.chance.random.randint(1, 5))
        elif dice < 0.1 and len(self.rules) > 2:
            self.remove(self.chance.random.randint(1, 5))
        elif dice < 0.12:
            for job in self.plan.upkeep():
                job.build()
                job.install()

    def compare(self, number):
        facts = self.chance.facts(number)
        found = sorted((one.rule, one.about and one.about.id) for one in self.plan.match(facts))
        wanted = sorted(self.direct(facts))
        assert wanted == found, (number, facts)
        self.matches += len(found)
        return facts

    def direct(self, facts):
        for rule in self.rules.values():
            about = rule["object"]
            linked = facts.linked.get(about, ()) if about != facts.record.source_object else ()
            for link in linked or (None,):
                picture = facts if link is None else shown(facts, about, link)
                if Direct(self.schema.fields, picture, self.schema.zone.key).fires(rule):
                    yield rule["id"], link and link.ref.id


def shown(facts, about, link):
    values = {name: one for name, one in facts.new.items() if not name.startswith(about + ".")}
    return type(facts)(
        **{name: getattr(facts, name) for name in facts.__dataclass_fields__}
        | {"new": values | link.values}
    )


def run(seed, events, split=3):
    living = Run(seed, split)
    for number in range(events):
        living.change()
        facts = living.compare(number)
        if number % 100 == 0:
            explained(living, facts)
    return living


def explained(living, facts):
    """Explaining agrees with matching, also where only what fired is explained."""
    matches = living.plan.match(facts)
    found = {(one.rule, one.about) for one in matches}
    traces = living.plan.explain(facts)
    assert found == {(one.rule, one.about) for one in traces if one.fired}
    assert all(one.met for one in traces if one.fired)
    assert all(one.skipped for one in traces if one.met and not one.fired)
    fired = dict.fromkeys(one.rule for one in matches)
    one_by_one = [trace for rule in fired for trace in living.plan.explain(facts, rule)]
    assert living.plan.explain_matches(facts, matches) == one_by_one


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_index_agrees_with_direct_evaluation(seed):
    living = run(seed, 750)

    assert living.matches > 100


def test_the_index_agrees_without_early_splits():
    run(5, 300, split=24)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 150))
def test_the_index_agrees_with_direct_evaluation_for_long(seed):
    run(seed, 2_000, split=3 if seed % 5 else 24)
