"""What is shown of connectors."""

from datetime import UTC, datetime

from hub import builtins
from hub.catalog import load_plugins
from hub.connectors.models import CheckResult, Connector
from hub.connectors.shown import kept_lines

AT = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)


def test_what_to_do_about_a_kept_failure_names_the_connector() -> None:
    catalog = load_plugins(builtins.modules()).catalog
    connector = Connector(type="pagerduty", name="prod-pd")
    kept = [
        CheckResult(name=one.name, ok=False, text="No.", took_ms=1, at=AT)
        for one in catalog.connector_types["pagerduty"].checks
    ]

    told = [one.fix for one in kept_lines(connector, kept, catalog)]

    assert not [fix for fix in told if "NAME" in fix]
    assert any("hub connector update prod-pd --set api_key=-" in fix for fix in told)
