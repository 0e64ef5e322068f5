"""Rules and events as a busy tenant has them; the same for the same seed."""

import random
from bisect import bisect
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from pydantic import BaseModel

from hub.builtins.operators import OPERATORS
from hub.rules import Facts, Rule, Ruleset, Schema
from hub.sdk.actions import Action, ActionResult
from hub.sdk.events import RecordRef
from hub.sdk.vocabulary import FieldType, SourceObject, Trigger

ITEM = SourceObject(name="desk.item", label="Item")
UPDATED = Trigger(source_object=ITEM.name, verb="updated", label="Item updated")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHOICES = {
    "status": ("new", "working", "closed"),
    "priority": ("p1", "p2", "p3", "p4", "p5", "p6"),
    "urgency": ("high", "low"),
    "tier": ("a", "b", "c", "d"),
    "event_type": tuple(f"kind{n}" for n in range(10)),
}
NUMBERS = {
    "amount": 10_000,
    "impact_count": 1_000,
    "alert_count": 200,
    "age_minutes": 10_000,
    "sla_remaining": 5_000,
    "urgency_score": 100,
}
TEXTS = (
    "subject", "description", "title", "service_name", "host", "contact_email", "source",
    "case_number", "custom2",
)  # fmt: skip
MOVING = ("status", "priority", "assignee_id", "urgency", "subject", "queue_id")


def ids(count):
    """Fields that hold an id, and how many different ones there are."""
    return {
        "service_id": max(20, count // 4),
        "escalation_policy_id": max(10, count // 10),
        "account_id": max(20, count // 2),
        "assignee_id": max(20, count // 5),
        "queue_id": 200,
        "team_id": 100,
        "record_type": 20,
        "reason": 30,
        "product": 50,
        "component": 100,
        "alert_group": 100,
        "alert_class": 40,
        "type": 8,
        "region": 12,
        "origin": 6,
        "language": 10,
        "custom1": 100,
    }


def fields():
    yield from (ITEM.field(key, key.capitalize(), FieldType.REFERENCE) for key in ids(1))
    yield from (ITEM.field(key, key.capitalize(), choices=CHOICES[key]) for key in CHOICES)
    for key in NUMBERS:
        kind = FieldType.DECIMAL if key == "amount" else FieldType.INTEGER
        yield ITEM.field(key, key.capitalize(), kind)
    yield from (ITEM.field(key, key.capitalize()) for key in TEXTS)
    yield ITEM.field("is_escalated", "Escalated", FieldType.BOOLEAN)
    yield ITEM.field("is_closed", "Closed", FieldType.BOOLEAN)
    yield ITEM.field("incident_number", "Number", FieldType.INTEGER)
    yield ITEM.field("created_at", "Created", FieldType.TIMESTAMP)


class Nothing(BaseModel):
    """An action without parameters."""


async def nothing(_):
    """Do nothing: the benchmark plans, and sends nothing."""
    return ActionResult()


SEND = Action(
    connector_type="mail", verb="send", label="Send", params=Nothing, perform=nothing, creates=True
)


def schema(operators=OPERATORS):
    return Schema(
        fields=fields(), triggers=[UPDATED], operators=operators, actions=[SEND],
        connectors={"post": "mail"},
    )  # fmt: skip


def ruleset(rules):
    made = [Rule.model_validate(one) for one in rules]
    return Ruleset.model_construct(
        format=1, id="bench", name="Bench", description="", state="enabled", rules=made, version=1
    )


def named(key):
    return f"{ITEM.name}.{key}"


def condition(key, op, value=...):
    made = {"field": named(key), "op": op}
    return made if value is ... else made | {"value": value}


def rule(number, conditions):
    return {
        "format": 1,
        "id": f"00000000-0000-7000-8000-{number:012x}",
        "name": f"Rule {number}",
        "object": ITEM.name,
        "on": [UPDATED.name],
        "when": {"all": conditions},
        "then": [{"do": "mail.send", "connector": "post"}],
    }


class Words:
    """20,000 made-up words, drawn as words of a language are: a few very often."""

    def __init__(self, rng):
        heard = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
        seen = {}
        while len(seen) < 20_000:
            seen["".join(rng.choice(heard) for _ in range(4))] = None
        self.words = list(seen)
        self.sums = list(accumulate(1 / rank for rank in range(1, 20_001)))
        self.rng = rng

    def word(self):
        return self.words[bisect(self.sums, self.rng.random() * self.sums[-1])]

    def text(self, count):
        return " ".join(self.word() for _ in range(count))

    def rare(self):
        return self.words[self.rng.randrange(200, 20_000)]


class Workload:
    """`count` rules of the mixed load and events bent towards some of them."""

    def __init__(self, count, seed=1):
        self.count = count
        self.rng = random.Random(f"{seed}/{count}")
        self.words = Words(random.Random(seed))
        self.words.rng = self.rng
        self.ids = ids(count)
        self.rules = [rule(n, self.conditions()) for n in range(count)]

    # ------------------------------------------------------------------ rules

    def conditions(self):
        kinds, shares = zip(*SHARES, strict=True)
        [kind] = self.rng.choices(kinds, shares)
        made = getattr(self, kind)()
        self.rng.shuffle(made)
        return made

    def id_is(self, key):
        return condition(key, "is", self.an_id(key))

    def an_id(self, key):
        return f"{key[:3]}{self.rng.randrange(self.ids[key])}"

    def choice_is(self, *keys):
        key = self.rng.choice(keys)
        return condition(key, "is", self.rng.choice(CHOICES[key]))

    def greater(self, low=0.5, high=0.99):
        key = self.rng.choice(list(NUMBERS))
        return condition(key, "gt", int(NUMBERS[key] * self.rng.uniform(low, high)))

    def less(self):
        key = self.rng.choice(list(NUMBERS))
        return condition(key, "lt", int(NUMBERS[key] * self.rng.uniform(0.05, 0.5)))

    def contains(self):
        key = self.rng.choice(("description", "description", "subject", "title"))
        return condition(key, "contains", self.words.rare())

    def changed(self):
        return condition(self.rng.choice(MOVING), "changed")

    def one_more(self):
        return self.rng.choice((self.greater, self.contains, self.changed))()

    def by_service(self):
        return [self.id_is("service_id"), self.choice_is("priority", "status"), self.one_more()]

    def by_account(self):
        return [self.id_is("account_id"), self.id_is("record_type"), self.one_more()]

    def by_services(self):
        some = {self.an_id("service_id") for _ in range(self.rng.randint(2, 4))}
        among = condition("service_id", "is_any_of", sorted(some))
        return [among, self.choice_is("status"), self.greater()]

    def by_arrival(self):
        key = self.rng.choice(("escalation_policy_id", "assignee_id"))
        to = condition("status", "changed_to", self.rng.choice(CHOICES["status"]))
        either = {"any": [self.choice_is("priority"), self.greater(0.8)]}
        return [self.id_is(key), to, either]

    def by_two_ways(self):
        one = {"all": [self.id_is("service_id"), self.choice_is("priority")]}
        other = {"all": [self.id_is("account_id"), self.changed()]}
        return [{"any": [one, other]}]

    def by_class(self):
        key = self.rng.choice(("record_type", "reason", "product"))
        kinds = (self.contains, self.contains, self.host, self.pattern)
        return [self.choice_is("status", "priority"), self.id_is(key), self.rng.choice(kinds)()]

    def by_word(self):
        return [self.contains(), self.greater(0.8), self.changed()]

    def host(self):
        whole = self.a_host()
        return condition("host", "starts_with", whole[: self.rng.randint(7, 9)])

    def by_host(self):
        return [self.host(), self.less(), self.contains()]

    def pattern(self):
        return condition("description", "matches", rf"\b{self.words.rare()}\b.* ref \d+")

    def by_pattern(self):
        return [self.pattern(), self.greater(), self.changed()]

    def by_amount(self):
        low = self.rng.randrange(10_000)
        near = condition("amount", "between", [low, low + 1])
        return [near, self.greater(), self.changed()]

    def by_number(self):
        zeros, end = self.rng.choice((3, 4)), self.rng.randrange(10, 100)
        number = condition("case_number", "matches", rf"^0{{{zeros},4}}\d+{end}$")
        return [number, self.not_status(), self.greater(0.9, 0.9)]

    def by_nothing(self):
        digit, last = self.rng.randrange(10), self.rng.randrange(10)
        number = condition("case_number", "matches", f"^[0-9]{{2}}{digit}{{4}}[{last}-9]")
        return [
            number,
            self.not_status(),
            condition("description", "not_contains", self.words.rare()),
        ]

    def not_status(self):
        return condition("status", "is_not", self.rng.choice(CHOICES["status"]))

    # ------------------------------------------------------------------ events

    def a_host(self):
        kind = self.rng.choice(("web", "api", "db", "cache", "mq", "edge"))
        return f"{kind}-{self.rng.randrange(10_000):04}.{self.rng.choice(('eu', 'us', 'ap'))}.prod"

    def event(self, number):
        new = self.values()
        prior = dict(new)
        for key in MOVING:
            if self.rng.random() < 0.2:
                prior[named(key)] = self.again(key)
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            self.bend(self.rng.choice(self.rules)["when"], new, prior)
        return facts(number, new, prior)

    def values(self):
        new = {named(key): self.an_id(key) for key in self.ids}
        new |= {named(key): self.rng.choice(found) for key, found in CHOICES.items()}
        new |= {named(key): self.rng.randrange(top) for key, top in NUMBERS.items()}
        new[named("amount")] = Decimal(self.rng.randrange(1_000_000)) / 100
        new |= {named(key): self.some_text(key) for key in TEXTS}
        new[named("is_escalated")] = self.rng.random() < 0.1
        new[named("is_closed")] = self.rng.random() < 0.3
        new[named("incident_number")] = self.rng.randrange(10**6)
        new[named("created_at")] = AT
        return new

    def some_text(self, key):
        makers = {
            "subject": lambda: self.words.text(8),
            "description": lambda: f"{self.words.text(25)} ref {self.rng.randrange(10**6)}",
            "title": lambda: self.words.text(7),
            "service_name": lambda: f"{self.words.word()}-{self.words.word()}",
            "host": self.a_host,
            "contact_email": lambda: f"{self.words.word()}@example.com",
            "source": lambda: f"mon-{self.rng.randrange(50)}",
            "case_number": lambda: f"{self.rng.randrange(10**8):08}",
            "custom2": lambda: self.words.word() if self.rng.random() < 0.5 else None,
        }
        return makers[key]()

    def again(self, key):
        if key in CHOICES:
            return self.rng.choice(CHOICES[key])
        return self.some_text(key) if key in TEXTS else self.an_id(key)

    def bend(self, tree, new, prior):
        """Set values so that the conditions hold, as far as that is easy."""
        if "all" in tree:
            for kid in tree["all"]:
                self.bend(kid, new, prior)
        elif "any" in tree:
            self.bend(self.rng.choice(tree["any"]), new, prior)
        elif "field" in tree:
            BENDS.get(tree["op"], _as_it_is)(
                Bent(self.rng, tree["field"], tree.get("value"), new, prior)
            )


def facts(number, new, prior):
    return Facts(
        event_id=f"evt_{number}", tenant="bench", trigger=UPDATED.name, connector="source",
        record=RecordRef(source_object=ITEM.name, id="1"), at=AT, new=new, prior=prior,
    )  # fmt: skip


class Bent(NamedTuple):
    """A condition that is to hold of an event."""

    rng: random.Random
    name: str
    value: object
    new: dict
    prior: dict


def _as_it_is(_):
    pass


def _set(bent):
    bent.new[bent.name] = bent.value


def _set_some(bent):
    bent.new[bent.name] = bent.rng.choice(bent.value)


def _above(bent):
    bent.new[bent.name] = bent.value + 1


def _below(bent):
    bent.new[bent.name] = bent.value - 1


def _inside(bent):
    bent.new[bent.name] = Decimal(bent.value[0])


def _insert(bent):
    bent.new[bent.name] = f"{bent.value} {bent.new[bent.name]}"


def _begin(bent):
    bent.new[bent.name] = bent.value + bent.new[bent.name][len(bent.value) :]


def _match(bent):
    if bent.name.endswith("description"):
        word = bent.value[2:].partition(chr(92))[0]
        bent.new[bent.name] = f"{word} {bent.new[bent.name]}"


def _move(bent):
    bent.prior[bent.name] = "other"


def _arrive(bent):
    bent.new[bent.name], bent.prior[bent.name] = bent.value, "other"


BENDS = {
    "is": _set,
    "is_any_of": _set_some,
    "gt": _above,
    "lt": _below,
    "between": _inside,
    "contains": _insert,
    "starts_with": _begin,
    "matches": _match,
    "changed": _move,
    "changed_to": _arrive,
}
SHARES = (
    ("by_service", 20), ("by_account", 15), ("by_services", 8), ("by_arrival", 5),
    ("by_two_ways", 2), ("by_class", 20), ("by_word", 12), ("by_host", 7), ("by_pattern", 5),
    ("by_amount", 4), ("by_number", 1.7), ("by_nothing", 0.3),
)  # fmt: skip


class Low(Workload):
    """Three equalities of few values each, and a range."""

    def conditions(self):
        keys = ("status", "priority")
        made = [condition(key, "is", self.rng.choice(CHOICES[key])) for key in keys]
        return [*made, self.id_is("record_type"), self.greater(0.9)]


class Hot(Workload):
    """One value that every rule asks for, a few more, and a range."""

    def conditions(self):
        tier = condition("tier", "is", self.rng.choice(CHOICES["tier"]))
        hot = condition("service_id", "is", "ser0")
        return [hot, self.id_is("reason"), tier, self.greater(0.9)]

    def values(self):
        return super().values() | {named("service_id"): "ser0"}


class Sided(Workload):
    """Three one-sided ranges."""

    def conditions(self):
        keys = self.rng.sample(list(NUMBERS), 3)
        return [condition(k, "gt", int(NUMBERS[k] * self.rng.uniform(0.8, 0.99))) for k in keys]


class Negative(Workload):
    """Nothing but negations, few of them different."""

    def conditions(self):
        keys = ("status", "priority", "tier", "urgency")
        return [condition(key, "is_not", self.rng.choice(CHOICES[key])) for key in keys]


class Patterns(Workload):
    """A pattern of its own without a literal in every rule, and a negation."""

    def conditions(self):
        low = self.rng.randrange(10)
        number = "".join(f"[{d}{(d + low) % 10}]" for d in self.rng.choices(range(10), k=5))
        return [condition("case_number", "matches", f"^{number}"), self.not_status()]


LOADS = {
    "mixed": Workload,
    "low": Low,
    "hot": Hot,
    "sided": Sided,
    "negative": Negative,
    "patterns": Patterns,
}
