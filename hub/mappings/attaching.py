"""Services that a vendor gave keys for: their rows in the service mappings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.catalog.catalog import Catalog
from hub.db.engine import Database
from hub.http.actor import Actor
from hub.mappings.models import ServiceMapping
from hub.mappings.repository import ServiceMappings
from hub.mappings.schemas import ServiceMappingIn
from hub.mappings.service import Mappings


@dataclass(frozen=True, slots=True)
class Attaching:
    """Maps services after a set-up by redirect; `app.state.attach_services` is one."""

    database: Database
    catalog: Catalog

    async def __call__(
        self, actor: Actor, connector: str, services: Mapping[str, str]
    ) -> Sequence[str]:
        """Give each service (id -> name) its row; return what was done, a line for each.

        Rows that name the service get its name. Where the connector has no default row yet, the
        first service that no row names becomes it. Others wait for somebody to map them.
        """
        if not services:
            return ()
        async with self.database.writing() as session:
            kept = ServiceMappings(session, actor.home)
            rows = list(await kept.of_connector((await kept.connector_named(connector)).id))
            mappings = Mappings(session, actor, self.catalog)
            lines = []
            for service, name in services.items():
                own = [row for row in rows if row.service_id == service]
                if own:
                    lines.append(_named(own, name))
                elif any(row.is_default for row in rows):
                    lines.append(f"{name}: stored; no service mapping names it yet")
                else:
                    row, _ = await mappings.create(_default(connector, service, name))
                    rows.append(row)
                    lines.append(f"{name}: stored, and taken where no service mapping says else")
        return lines


def _named(rows: Sequence[ServiceMapping], name: str) -> str:
    for row in rows:
        row.service_name = name
    mapped = ", ".join(row.name or row.service_id for row in rows)
    return f"{name}: stored for the service mapping {mapped}"


def _default(connector: str, service: str, name: str) -> ServiceMappingIn:
    return ServiceMappingIn(
        connector=connector, name="default", service=service, service_name=name, default=True
    )
