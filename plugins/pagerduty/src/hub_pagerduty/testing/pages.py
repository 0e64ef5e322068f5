"""Plain pages on which a person works an incident by clicking."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Incident, Ref, World
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.seed import JOHN
from hub_pagerduty.testing.sim import FakePagerDuty

Form = Mapping[str, str]
_STYLE: Final = (
    "<style>body{font:15px system-ui;margin:2rem;max-width:60rem}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:left;border-bottom:1px solid #ddd}form{margin:.4rem 0}"
    "input,select,button{font:inherit;padding:.2rem .5rem}.triggered{color:#b00}"
    ".acknowledged{color:#a60}.resolved{color:#070}</style>"
)


def home(sim: FakePagerDuty, who: str) -> str:
    """Return the page with all incidents, newest first."""
    rows = "".join(
        f'<tr><td><a href="/web/incidents/{one.id}">#{one.number}</a></td>'
        f'<td class="{one.status}">{one.status}</td><td>{escape(one.title)}</td>'
        f"<td>{escape(sim.world.services[one.service].name)}</td><td>{one.urgency}</td></tr>"
        for one in sorted(sim.world.incidents.values(), key=lambda one: -one.number)
    )
    services = _options({one.id: one.name for one in sim.world.services.values()})
    new = _form(
        "/web/incidents",
        f'<input name="title" placeholder="Title" required> <select name="service">{services}'
        '</select> <input name="details" placeholder="Description"> <button>Trigger</button>',
    )
    keys = "".join(
        f"<li><code>{escape(one.token)}</code> {one.kind} {escape(one.user or '')}</li>"
        for one in sim.world.keys.values()
    )
    body = (
        f"<h1>PagerDuty simulator</h1>{_sign_in(sim.world, who)}<h2>Incidents</h2>"
        f"<table><tr><th>Number<th>Status<th>Title<th>Service<th>Urgency</tr>{rows}</table>"
        f"<h2>New incident</h2>{new}<h2>Keys</h2><ul>{keys}</ul><p>"
        '<a href="/_sim/deliveries">Deliveries</a> <a href="/_sim/requests">Requests</a> '
        '<a href="/_sim/state">State</a></p>'
    )
    return _page("PagerDuty simulator", body)


def incident_page(sim: FakePagerDuty, it: Incident, who: str, problem: str = "") -> str:
    """Return the page of an incident, with everything one can do."""
    world = sim.world
    assignees = ", ".join(world.users[user].name for _, user in it.assigned) or "nobody"
    priority = world.priority(it.priority)
    source = f"View at {it.client}" if it.client else "View at source"
    link = f'<p><a href="{escape(it.client_url)}">{escape(source)}</a></p>' if it.client_url else ""
    facts = (
        f'<p class="{it.status}"><b>{it.status}</b>, urgency {it.urgency}, priority '
        f"{escape(priority.name) if priority else 'none'}, assigned to {escape(assignees)}</p>"
        f"<p>{escape(it.details or '')}</p>{link}"
    )
    notes = "".join(
        f"<li>{stamp(one.created_at)} <b>{escape(world.users[one.user].name)}</b>: "
        f"{escape(one.content)}</li>"
        for one in it.notes
    )
    log = "".join(f"<li>{stamp(one.created_at)} {escape(one.summary)}</li>" for one in it.log)
    refused = f'<p role="alert"><b>{escape(problem)}</b></p>' if problem else ""
    body = (
        f'<p><a href="/web/incidents">All incidents</a></p><h1>#{it.number} {escape(it.title)}'
        f"</h1>{refused}{_sign_in(world, who)}{facts}{_actions(world, it)}"
        f"<h2>Notes</h2><ul>{notes}</ul><h2>Log</h2><ul>{log}</ul>"
    )
    return _page(f"#{it.number} {it.title}", body)


def trigger(sim: FakePagerDuty, who: str, form: Form) -> Incident:
    """Open an incident by hand."""
    details = form.get("details") or None
    channel = {
        "type": "web_trigger",
        "summary": form["title"],
        "subject": form["title"],
        "details": details,
        "details_omitted": False,
    }
    return sim.lifecycle.open(
        Ref("user", who),
        sim.world.services[form["service"]],
        form["title"],
        key=sim.world.ids.hexadecimal(),
        details=details,
        channel=channel,
        made_in_web=True,
        urgency=form.get("urgency"),
    )


def act(sim: FakePagerDuty, it: Incident, who: str, form: Form) -> None:
    """Do what a button of an incident's page says; Refusal when the rules forbid it."""
    run = _ACTS.get(form.get("do", ""))
    if run is None:
        raise Refusal(400, 2001, "There is no such button")
    run(sim, it, Ref("user", who), form)


def person_of(sim: FakePagerDuty, cookie: str | None) -> str:
    """Return who is signed in."""
    return cookie if cookie in sim.world.users else JOHN


# ----------------------------------------------------------------------------- inside


def _resolve(sim: FakePagerDuty, it: Incident, agent: Ref, form: Form) -> None:
    note = form.get("text")
    sim.lifecycle.resolve(it, agent, note or "")
    if note:
        sim.lifecycle.annotate(it, agent, f"Resolution Note: {note}")


def _merge(sim: FakePagerDuty, it: Incident, agent: Ref, form: Form) -> None:
    target = sim.world.incidents.get(form.get("into", ""))
    if target is None:
        raise Refusal(404, 5001, "Incident Not Found")
    sim.lifecycle.merge(target, [it], agent)


def _priority(sim: FakePagerDuty, it: Incident, agent: Ref, form: Form) -> None:
    wanted = form.get("priority") or None
    sim.lifecycle.set_field(it, agent, "incident.priority_updated", priority=wanted)


def _custom(sim: FakePagerDuty, it: Incident, agent: Ref, form: Form) -> None:
    sim.custom_action(it, agent, form.get("text") or "Custom action")


_ACTS: Final[Mapping[str, Callable[[FakePagerDuty, Incident, Ref, Form], object]]] = {
    "acknowledge": lambda sim, it, agent, _: sim.lifecycle.acknowledge(it, agent),
    "unacknowledge": lambda sim, it, agent, _: sim.lifecycle.trigger(it, agent),
    "reopen": lambda sim, it, agent, _: sim.lifecycle.trigger(it, agent),
    "resolve": _resolve,
    "note": lambda sim, it, agent, form: sim.lifecycle.annotate(it, agent, form.get("text", "")),
    "title": lambda sim, it, agent, form: sim.lifecycle.set_field(
        it, agent, None, title=form.get("text", it.title)
    ),
    "urgency": lambda sim, it, agent, form: sim.lifecycle.set_field(
        it, agent, None, urgency=form.get("urgency", "high")
    ),
    "priority": _priority,
    "reassign": lambda sim, it, agent, form: sim.lifecycle.reassign(
        it, agent, [form.get("user", agent.id)]
    ),
    "delegate": lambda sim, it, agent, form: sim.lifecycle.delegate(
        it, agent, form.get("policy", it.policy)
    ),
    "escalate": lambda sim, it, agent, _: sim.lifecycle.escalate(it, agent, it.level + 1),
    "snooze": lambda sim, it, agent, _: sim.lifecycle.snooze(it, agent, 3600),
    "merge": _merge,
    "update": lambda sim, it, agent, form: sim.lifecycle.publish(it, agent, form.get("text", "")),
    "responder": lambda sim, it, agent, form: sim.lifecycle.ask(
        it, agent.id, Ref("user", form.get("user", agent.id)), form.get("text", "")
    ),
    "custom": _custom,
}


def _actions(world: World, it: Incident) -> str:
    users = _options({one.id: one.name for one in world.users.values()})
    policies = _options({one.id: one.name for one in world.policies.values()})
    priorities = _options({"": "none"} | {one.id: one.name for one in world.priorities})
    others = _options(
        {
            one.id: f"#{one.number} {one.title}"
            for one in world.incidents.values()
            if one.is_open and one.id != it.id
        }
    )
    buttons = ["acknowledge", "unacknowledge", "escalate", "snooze"] if it.is_open else ["reopen"]
    parts = [
        "".join(f'<button name="do" value="{one}">{one.capitalize()}</button> ' for one in buttons)
    ]
    text = '<input name="text"> '
    parts += [text + _button("note", "Add note"), text + _button("update", "Publish update")]
    parts += [text + _button("title", "Set title"), text + _button("custom", "Custom action")]
    if it.is_open:
        parts.append(
            '<input name="text" placeholder="Resolution note"> ' + _button("resolve", "Resolve")
        )
        parts.append(f'<select name="user">{users}</select> ' + _button("reassign", "Reassign"))
        parts.append(
            f'<select name="user">{users}</select> {text}' + _button("responder", "Add responder")
        )
        parts.append(
            f'<select name="policy">{policies}</select> ' + _button("delegate", "Delegate")
        )
        parts.append(f'<select name="into">{others}</select> ' + _button("merge", "Merge"))
    urgencies = _options({"high": "high", "low": "low"})
    parts.append(
        f'<select name="priority">{priorities}</select> ' + _button("priority", "Set priority")
    )
    parts.append(
        f'<select name="urgency">{urgencies}</select> ' + _button("urgency", "Set urgency")
    )
    return "".join(_form(f"/web/incidents/{it.id}", part) for part in parts)


def _button(do: str, label: str) -> str:
    return f'<button name="do" value="{do}">{label}</button>'


def _sign_in(world: World, who: str) -> str:
    users = _options({one.id: one.name for one in world.users.values()}, who)
    return _form(
        "/web/sign-in", f'Signed in as <select name="user">{users}</select> <button>Switch</button>'
    )


def _options(named: Mapping[str, str], chosen: str = "") -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(name)}</option>"
        for value, name in named.items()
    )


def _form(action: str, inside: str) -> str:
    return f'<form method="post" action="{action}">{inside}</form>'


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"{_STYLE}</head><body>{body}</body></html>"
    )
