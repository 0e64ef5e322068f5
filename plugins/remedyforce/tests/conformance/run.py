"""Print how well plugin and simulator agree with what others wrote: JSON lines.

    VENDOR_DATA=/path/to/vendor python plugins/remedyforce/tests/conformance/run.py

Uses the programs beside the Salesforce plugin's own run.py; what is not here is left out, and
said so.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "salesforce/tests/conformance"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import httpx
import rf_soql
import sf_foreign
from sf_server import Served, served
from sf_steps import Steps

from hub_remedyforce.installing import sources
from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, api
from hub_remedyforce.testing import id_of, install
from hub_salesforce.testing import AGENT, INTEGRATION, FakeSalesforce

ROOT = "/services/data/v60.0"
OWN = "/services/apexrest/BMCServiceDesk/1.0"
_CATEGORY_NEEDED = "Category, Template, or Request Definition."


def main() -> int:
    """Print the figures; 1 when something does not agree."""
    sf_foreign.install_node()
    failures: list[str] = []
    for name, (count, found) in judged().items():
        print_figure(name, count)
        failures += found
    print_figure("failures", len(failures))
    for text in failures:
        sys.stderr.write(f"{text}\n")
    return 1 if failures else 0


def print_figure(name: str, value: int) -> None:
    """Print one figure as a JSON line."""
    line = {"figure": f"conformance.remedyforce.{name}", "value": value, "unit": "count"}
    sys.stdout.write(json.dumps(line) + "\n")


def judged() -> dict[str, tuple[int, list[str]]]:
    """Let everybody who is here judge; counts and failures by figure."""
    found: dict[str, tuple[int, list[str]]] = {}
    why = sf_foreign.missing_node()
    if why is None:
        found |= texts()
    why_python = sf_foreign.missing_python()
    if why_python is None:
        found["calls"] = drive()
    folder = recordings_folder()
    if folder is not None:
        steps = asyncio.run(shapes(folder))
        found["recordings"] = (steps.calls, steps.failures)
    for reason in (why, why_python, None if folder else "VENDOR_DATA names no recorded answers"):
        if reason:
            sys.stderr.write(f"left out: {reason}\n")
    return found


def recordings_folder() -> Path | None:
    """Return the folder of the recorded answers, where it is given."""
    given = sf_foreign.os.environ.get("VENDOR_DATA", "")
    folder = Path(given) / "salesforce" / "xsoar-remedyforce"
    return folder if given and folder.is_dir() else None


def texts() -> dict[str, tuple[int, list[str]]]:
    """Let the public parser read the shipped Apex and every query that the plugin sends."""
    rules = {".trigger": "triggerUnit", ".cls": "compilationUnit"}
    files = [
        {"name": name, "rule": rules[Path(name).suffix], "text": text}
        for name, text in sources("PagerDuty_API").items()
    ]
    soql = asyncio.run(rf_soql.statements())
    queries = [{"name": text, "rule": "query", "text": text} for text in soql]
    problems = {
        name: [
            f"{one['name']:.160}: {problem}"
            for one in sf_foreign.parse(given)
            for problem in one["problems"]
        ]
        for name, given in (("soql", queries), ("apex_files", files))
    }
    return {
        "soql": (len(queries), problems["soql"]),
        "apex_files": (len(files), problems["apex_files"]),
    }


@contextmanager
def remedyforce() -> Iterator[Served]:
    """Serve an org with the package."""
    with served() as org:
        install(org.org)
        yield org


def drive() -> tuple[int, list[str]]:
    """Let simple-salesforce make incidents and notes."""
    from simple_salesforce import Salesforce  # noqa: PLC0415 - only where it is installed

    steps = Steps("simple-salesforce")
    with remedyforce() as org:
        token = org.org.world.open_session(org.org.world.users[INTEGRATION]).token
        client: Any = Salesforce(session_id=token, instance_url=org.url, version="60.0")
        client.session.trust_env = False
        client.base_url = f"{org.url}{ROOT}/"
        incident = getattr(client, INCIDENT_API)
        incident.base_url = f"{org.url}{ROOT}/sobjects/{INCIDENT_API}/"
        _incidents(steps, org.org, incident)
        history = getattr(client, HISTORY_API)
        history.base_url = f"{org.url}{ROOT}/sobjects/{HISTORY_API}/"
        _notes(steps, org.org, history)
    return steps.calls, steps.failures


def _incidents(steps: Steps, org: FakeSalesforce, incident: Any) -> None:
    new = {api("shortDescription__c"): "Line 3 down"}
    steps.refused("create without category", lambda: incident.create(new), _CATEGORY_NEEDED)
    category = id_of(org, api("Category__c"), "Hardware")
    whole = {**new, api("FKCategory__c"): category, api("Event_ID__c"): "E-1"}
    steps.step("create", lambda: incident.create(whole), lambda made: made["success"])
    steps.refused("same event", lambda: incident.create(whole), "DUPLICATE_VALUE")
    steps.step(
        "describe",
        incident.describe,
        lambda found: any(
            one["name"] == api("Event_ID__c") and one["externalId"] and one["unique"]
            for one in found["fields"]
        ),
    )
    steps.step(
        "get by external id",
        lambda: incident.get_by_custom_id(api("Event_ID__c"), "E-1"),
        lambda row: row[api("Status_ID__c")] == "OPENED",
    )


def _notes(steps: Steps, org: FakeSalesforce, history: Any) -> None:
    row = {api("FKIncident__c"): next(iter(org.world.records[INCIDENT_API])), api("note__c"): "a"}
    steps.refused("note without action", lambda: history.create(row), "Please enter Action.")
    whole = {**row, api("FKAction__c"): id_of(org, ACTION_API, "Notes")}
    steps.step("note", lambda: history.create(whole), lambda made: made["success"])


async def shapes(folder: Path) -> Steps:
    """Make the recorded situations in the simulator and compare the sets of keys."""
    steps = Steps("recordings")
    org = FakeSalesforce(profile=install)
    token = org.world.open_session(org.world.users[INTEGRATION]).token
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=org)
    async with httpx.AsyncClient(
        transport=transport, headers=headers, base_url="http://sim.test"
    ) as http:
        for name, ours in (await _answers(org, http, folder)).items():
            recorded = json.loads((folder / name.partition("#")[0]).read_bytes())
            part = name.partition("#")[2]
            difference = _keys(recorded[part] if part else recorded) ^ _keys(ours)
            steps.step(name, lambda d=difference: sorted(d), lambda d: not d)
    return steps


async def _answers(org: FakeSalesforce, http: httpx.AsyncClient, folder: Path) -> dict[str, Any]:
    """Ask the simulator what was asked when the answers were recorded."""
    incident = next(iter(org.world.records[INCIDENT_API]))
    template = id_of(org, api("SYSTemplate__c"), "Line down")
    templated = org.create(AGENT, INCIDENT_API, **{api("FKTemplate__c"): template})
    await http.post(f"{OWN}/ServiceRequest/{incident}/clientnote", json=_log("before"))

    async def rows(name: str, source: str, condition: str = "") -> Any:
        record = json.loads((folder / name).read_bytes())["records"][0]
        fields = ", ".join(
            f"{key}.Name" if isinstance(value, dict) else key
            for key, value in record.items()
            if key != "attributes"
        )
        text = f"SELECT {fields} FROM {source} {condition} LIMIT 1"
        return (await http.get(f"{ROOT}/query", params={"q": text})).json()

    made = {"Description": "a", "IncidentSource": "Event"}
    answers = {
        "query_incidents.json": await rows(
            "query_incidents.json", INCIDENT_API, f"WHERE Id = '{templated}'"
        ),
        "query_incident_history_notes.json": await rows(
            "query_incident_history_notes.json", HISTORY_API
        ),
        "query_categories.json": await rows("query_categories.json", api("Category__c")),
        "query_status.json": await rows("query_status.json", api("Status__c")),
        "incident_create.json#create_success": (
            await http.post(f"{OWN}/Incident", json=made)
        ).json(),
        "incident_create.json#create_failure": (await http.post(f"{OWN}/Incident", json={})).json(),
        "clientnote_create_response.json": (
            await http.post(f"{OWN}/ServiceRequest/{incident}/clientnote", json=_log("after"))
        ).json(),
    }
    body = json.loads((folder / "incident_patch_body.json").read_bytes())
    known = {one["name"] for one in org.world.definitions[INCIDENT_API]["fields"]}
    return {**answers, "incident_patch_body.json": {name: 1 for name in body if name in known}}


def _log(text: str) -> dict[str, Any]:
    return {"ActivityLog": [{"Summary": "Summary", "Notes": text}]}


def _keys(body: Any, path: str = "") -> set[str]:
    """Return the paths of all members; of lists the first entry's."""
    if isinstance(body, list):
        return _keys(body[0], f"{path}[]") if body else set()
    if not isinstance(body, dict):
        return set()
    own = {f"{path}.{name}" for name in body}
    return own.union(*(_keys(value, f"{path}.{name}") for name, value in body.items()))


if __name__ == "__main__":
    sys.exit(main())
