"""Random rules and events over small dense domains, so that everything collides."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hub.rules import Facts, Linked
from hub.sdk.events import RecordRef
from tests.unit.rules.world import PRIORITIES

WORDS = ("", "a", "ab", "abc", "bca", "Abca", "STRASSE", "straße", "x.y", "aab")
PARTS = tuple(one for one in WORDS if one)
PATTERNS = ("a", "^ab", "b.a", "bca$", "(?i)ABC", "a|x", "[bc]+a", "abca?", "x\\.y", "(ab)+c?",
            "stra", "^$", "\\bab", "a{2}b")  # fmt: skip
NUMBERS = (-5, 0, 1, 2, 3, 10, 100, 1000)
DECIMALS = tuple(Decimal(one) for one in ("-1.5", "0", "0.1", "1", "2.5", "10", "99.99", "1000"))
SPANS = ("0s", "30s", "15m", "2h", "1d", "3d")
AT = datetime(2024, 3, 31, 0, 30, tzinfo=UTC)
MOMENTS = tuple(
    AT + timedelta(seconds=s) for s in (-400000, -86400, -3600, -30, 0, 30, 3599, 7200, 90000)
)
DAYS = tuple((AT + timedelta(days=n)).date() for n in (-3, -1, 0, 1, 4))
STATUSES = ("New", "Working", "Escalated", "Closed")

T = "desk.ticket."
DOMAINS = {
    T + "subject": WORDS,
    T + "origin": WORDS,
    T + "status": STATUSES,
    T + "priority": PRIORITIES,
    T + "owner": ("U1", "U2", "u1"),
    T + "number": ("1", "2", "10"),
    T + "amount": DECIMALS,
    T + "age": NUMBERS,
    T + "waiting": tuple(timedelta(seconds=s) for s in (0, 30, 900, 7200)),
    T + "due": DAYS,
    T + "opened": MOMENTS,
    T + "closed": MOMENTS,
    T + "touched": MOMENTS,
    T + "vip": (True, False),
    T + "tags": ((), ("a",), ("A", "b"), ("b", "ab"), ("c",)),
    "pager.page.title": WORDS,
    "pager.page.urgency": ("high", "low"),
    "pager.page.level": NUMBERS,
    "hub.event.actor": ("U1", "U2"),
}
ALIKE = {
    "text": (T + "origin", "pager.page.title"),
    "choice": (T + "owner",),
    "reference": ("hub.event.actor", T + "number"),
    "id": (T + "owner",),
    "decimal": (T + "age",),
    "integer": (T + "amount", "pager.page.level"),
    "timestamp": (T + "closed", T + "due"),
    "list": (T + "owner", T + "origin"),
}


class Chance:
    """Makes rules and events; two seeds of three ask for four fields only, so that many meet."""

    def __init__(self, seed, schema):
        self.random = random.Random(seed)
        self.schema = schema
        every = sorted(DOMAINS)
        self.asked = every if seed % 3 == 0 else self.random.sample(every, 4)

    # ------------------------------------------------------------ events

    def value(self, name):
        found = None if self.random.random() < 0.15 else self.random.choice(DOMAINS[name])
        return None if found in ("", ()) else found

    def facts(self, number=0):
        owner = "desk.ticket" if self.random.random() < 0.85 else "pager.page"
        new = {name: self.value(name) for name in DOMAINS if self.random.random() < 0.95}
        own = [name for name in new if name.startswith(owner)]
        prior, changed = self.before(new, own)
        verb = self.random.choice(("created", "updated", "updated"))
        if owner == "pager.page":
            verb = self.random.choice(("triggered", "acknowledged"))
        connector = self.random.choice(("my-desk", "other-pager"))
        return Facts(
            event_id=f"evt_{number}",
            tenant="acme",
            trigger=f"{owner}.{verb}",
            connector=connector,
            record=RecordRef(source_object=owner, id="R1"),
            at=AT,
            new=new | {"hub.event.connector": connector},
            prior=prior,
            changed=changed,
            linked=self.linked(owner, new),
        )

    def before(self, new, own):
        kind = self.random.random()
        if kind < 0.15:
            return {}, None
        changed = None
        if self.random.random() < 0.3:
            changed = frozenset(one for one in own if self.random.random() < 0.3)
        if kind < 0.35:
            return None, changed
        told = [one for one in own if self.random.random() < 0.9]
        prior = {one: self.value(one) if self.random.random() < 0.3 else new[one] for one in told}
        return prior or None, changed

    def linked(self, owner, new):
        other = "pager.page" if owner == "desk.ticket" else "desk.ticket"
        listed = [{name: one for name, one in new.items() if name.startswith(other)}]
        listed += [
            {name: self.value(name) for name in DOMAINS if name.startswith(other)}
            for _ in range(self.random.choice((0, 0, 0, 1, 2)))
        ]
        if self.random.random() < 0.3:
            for name in listed[0]:
                del new[name]
            return {}
        return {
            other: tuple(
                Linked(
                    ref=RecordRef(source_object=other, id=f"L{at}"),
                    connector="my-pager",
                    values=values,
                )
                for at, values in enumerate(listed)
            )
        }

    # ------------------------------------------------------------ rules

    def rule(self, number):
        about = self.random.choice(("desk.ticket", "desk.ticket", "desk.ticket", "pager.page"))
        on = self.random.sample(
            ["desk.ticket.created", "desk.ticket.updated", "pager.page.triggered",
             "pager.page.acknowledged"], self.random.choice((1, 2, 2, 4)),
        )  # fmt: skip
        made = {
            "format": 1,
            "id": f"00000000-0000-7000-8000-{number:012x}",
            "name": f"Rule {number}",
            "object": about,
            "on": on,
            "when": self.when(),
            "then": [{"do": "mail.send", "connector": "post", "with": {"content": "x"}}],
        }
        if self.random.random() < 0.1:
            made["from"] = ["my-desk"]
        if self.random.random() < 0.15:
            made["run"] = "becomes_true"
        return made

    def when(self):
        if self.random.random() < 0.03:
            return {}
        return self.group(1)

    def group(self, depth):
        kind = self.random.choice(("all", "all", "all", "any", "none"))
        kids = [self.kid(depth) for _ in range(self.random.randint(1, 4 if depth == 1 else 3))]
        return {kind: kids}

    def kid(self, depth):
        if depth < 3 and self.random.random() < 0.25:
            return self.group(depth + 1)
        return self.condition()

    def condition(self):
        name = self.random.choice(self.asked)
        field = self.schema.fields[name]
        op = self.random.choice(self.schema.operators_for(name))
        made = {"field": name, "op": op.name}
        if op.operand != "none":
            made["value"] = self.operand(field, op)
        if field.type in {"text", "list", "choice", "reference"} and self.random.random() < 0.25:
            made["ignore_case"] = self.random.random() < 0.5
        return made

    def operand(self, field, op):
        if op.operand == "pattern":
            return self.random.choice(PATTERNS)
        if op.operand == "duration":
            return self.random.choice(SPANS)
        if op.operand == "values":
            return [self.one(field) for _ in range(self.random.randint(1, 3))]
        if op.operand == "range":
            pair = [self.one(field), self.one(field)]
            return sorted(pair, key=self.sortable)
        if op.operand == "from_to":
            return {"from": self.maybe(field), "to": self.maybe(field)}
        return self.single(field, op)

    def single(self, field, op):
        if op.name == "on":
            return self.random.choice(DAYS).isoformat()
        if field.type in ALIKE and op.name in BY_FIELD and self.random.random() < 0.15:
            return {"$field": self.random.choice(ALIKE[field.type])}
        return self.maybe(field) if op.changes or op.needs_prior else self.one(field)

    def maybe(self, field):
        return None if self.random.random() < 0.2 else self.one(field)

    def one(self, field):
        domain = PARTS if field.type == "text" else DOMAINS[field.name]
        found = self.random.choice(PARTS if field.type == "list" else domain)
        if isinstance(found, timedelta):
            return f"{int(found.total_seconds())}s"
        if isinstance(found, Decimal):
            return float(found)
        if isinstance(found, datetime):
            return found.isoformat()
        return found.isoformat() if isinstance(found, date) else found

    def sortable(self, raw):
        if isinstance(raw, str) and raw[-1] == "s":
            return int(raw[:-1])
        return raw


BY_FIELD = {"is", "is_not", "contains", "not_contains", "starts_with", "gt", "lte", "before",
            "after", "has", "has_not", "changed_to", "changed_from", "was"}  # fmt: skip
