"""The page of the simulated org where a person lets the connected app in."""

from urllib.parse import urlencode
from xml.sax.saxutils import escape

from hub_salesforce.testing.answers import Reply
from hub_salesforce.testing.sign_in import Asked

_QUOTES = {'"': "&quot;"}


def authorize(asked: Asked) -> Reply:
    """Answer /services/oauth2/authorize: a page to allow or deny, or the way back."""
    app = asked.world.apps.get(asked.form.get("client_id", ""))
    back = asked.form.get("redirect_uri", "")
    if app is None or asked.form.get("response_type") != "code" or not back:
        return Reply(status=400, body={"error": "invalid_client_id"})
    decision = asked.form.get("decision")
    if decision is None:
        return Reply(body=_consent(asked), type="text/html; charset=utf-8")
    answer = {"error": "access_denied", "error_description": "end-user denied authorization"}
    if decision == "allow":
        code = f"aPrx{asked.world.random.randrange(10**16):016d}"
        app.codes[code] = (asked.form.get("username", ""), back)
        answer = {"code": code}
    answer |= {"state": asked.form["state"]} if "state" in asked.form else {}
    return Reply(status=302, headers={"Location": f"{back}?{urlencode(answer)}"})


def _consent(asked: Asked) -> str:
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value, _QUOTES)}">'
        for name, value in asked.form.items()
    )
    people = "".join(f"<option>{escape(name)}</option>" for name in asked.world.users)
    return (
        "<!doctype html><title>Allow access?</title><h1>Allow PagerDuty access?</h1>"
        f'<form method="get">{kept}<select name="username">{people}</select>'
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )
