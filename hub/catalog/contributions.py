"""What one plugin declares, by kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from hub.sdk.actions import Action
from hub.sdk.connector_types import ConnectorType
from hub.sdk.mappings import ServiceResolver
from hub.sdk.operators import Operator
from hub.sdk.secrets import SecretBackend
from hub.sdk.templates import Filter, RulesetTemplate
from hub.sdk.vocabulary import FieldSchema, SourceObject, Trigger


class Kind(NamedTuple):
    """A kind of declaration: its word, and the class a plugin returns (None = by shape)."""

    member: str
    word: str
    type: type[Any] | None


REGISTER_HOOKS = MappingProxyType(
    {
        "hub_register_connector_types": Kind("connector_types", "connector type", ConnectorType),
        "hub_register_source_objects": Kind("objects", "source object", SourceObject),
        "hub_register_fields": Kind("fields", "field", FieldSchema),
        "hub_register_triggers": Kind("triggers", "trigger", Trigger),
        "hub_register_actions": Kind("actions", "action", Action),
        "hub_register_operators": Kind("operators", "operator", Operator),
        "hub_register_filters": Kind("filters", "filter", Filter),
        "hub_register_ruleset_templates": Kind("templates", "ruleset template", RulesetTemplate),
        "hub_register_service_resolvers": Kind("resolvers", "service resolver", ServiceResolver),
        "hub_register_secret_backends": Kind("secret_backends", "secret backend", None),
    }
)
KINDS: tuple[Kind, ...] = tuple(REGISTER_HOOKS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """All that one plugin declares."""

    plugin: str
    builtin: bool = False
    connector_types: tuple[ConnectorType[Any, Any], ...] = ()
    objects: tuple[SourceObject, ...] = ()
    fields: tuple[FieldSchema, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    actions: tuple[Action[Any, Any], ...] = ()
    operators: tuple[Operator, ...] = ()
    filters: tuple[Filter, ...] = ()
    templates: tuple[RulesetTemplate[Any], ...] = ()
    resolvers: tuple[ServiceResolver[Any], ...] = ()
    secret_backends: tuple[SecretBackend, ...] = ()

    def named(self) -> Iterator[tuple[Kind, str, Any]]:
        """Yield each declaration with its kind and its whole name."""
        for kind in KINDS:
            for declaration in getattr(self, kind.member):
                yield kind, name_of(declaration), declaration

    @property
    def own_prefixes(self) -> frozenset[str]:
        """The first parts that this plugin's names may have."""
        own = {connector_type.name for connector_type in self.connector_types}
        return frozenset(own | {"hub"} if self.builtin else own)


def name_of(declaration: Any) -> str:  # noqa: ANN401 - any kind of declaration
    """Return the whole name; of a secret backend its scheme."""
    name = getattr(declaration, "name", None)
    return str(declaration.scheme if name is None else name)


def fits(declaration: object, kind: Kind) -> bool:
    """Whether a plugin returned what the hook asks for."""
    if kind.type is not None:
        return isinstance(declaration, kind.type)
    return isinstance(getattr(declaration, "scheme", None), str) and callable(
        getattr(declaration, "read", None)
    )
