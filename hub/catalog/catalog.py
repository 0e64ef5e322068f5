"""What may be used: declarations by name, with who declared them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from hub.catalog.contributions import Contribution, name_of
from hub.sdk.actions import Action
from hub.sdk.connector_types import ConnectorType
from hub.sdk.mappings import ServiceResolver
from hub.sdk.operators import Operator
from hub.sdk.secrets import SecretBackend
from hub.sdk.templates import Filter, RulesetTemplate
from hub.sdk.vocabulary import FieldSchema, FieldType, SourceObject, Trigger

Declared = TypeVar("Declared")


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What the installed plugins declare; never changes while the hub runs.

    Each member maps whole names to declarations, in the order in which plugins were loaded;
    `secret_backends` goes by scheme. `resolvers` keep the order in which they are asked.
    """

    connector_types: Mapping[str, ConnectorType[Any, Any]] = field(default_factory=_nothing)
    objects: Mapping[str, SourceObject] = field(default_factory=_nothing)
    fields: Mapping[str, FieldSchema] = field(default_factory=_nothing)
    triggers: Mapping[str, Trigger] = field(default_factory=_nothing)
    actions: Mapping[str, Action[Any, Any]] = field(default_factory=_nothing)
    operators: Mapping[str, Operator] = field(default_factory=_nothing)
    filters: Mapping[str, Filter] = field(default_factory=_nothing)
    templates: Mapping[str, RulesetTemplate[Any]] = field(default_factory=_nothing)
    resolvers: Mapping[str, ServiceResolver[Any]] = field(default_factory=_nothing)
    secret_backends: Mapping[str, SecretBackend] = field(default_factory=_nothing)
    declared_by: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """(member of the catalog, name) -> the plugin's name."""
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The plugin's name -> the version of its distribution."""

    @classmethod
    def of(cls, contributions: Sequence[Contribution]) -> "Catalog":
        """Put consistent contributions together."""
        return cls(
            connector_types=_by_name(one for made in contributions for one in made.connector_types),
            objects=_by_name(one for made in contributions for one in made.objects),
            fields=_by_name(one for made in contributions for one in made.fields),
            triggers=_by_name(one for made in contributions for one in made.triggers),
            actions=_by_name(one for made in contributions for one in made.actions),
            operators=_by_name(one for made in contributions for one in made.operators),
            filters=_by_name(one for made in contributions for one in made.filters),
            templates=_by_name(one for made in contributions for one in made.templates),
            resolvers=_by_name(one for made in contributions for one in made.resolvers),
            secret_backends=_by_name(one for made in contributions for one in made.secret_backends),
            declared_by=MappingProxyType(
                {
                    (kind.member, name): made.plugin
                    for made in contributions
                    for kind, name, _ in made.named()
                }
            ),
        )

    def owner(self, member: str, name: str) -> str | None:
        """Return who declared `name`; `member` is one of this class ("actions")."""
        return self.declared_by.get((member, name))

    def objects_of(self, connector_type: str) -> tuple[SourceObject, ...]:
        """Return the source objects of a connector type."""
        prefix = f"{connector_type}."
        return tuple(one for name, one in self.objects.items() if name.startswith(prefix))

    def fields_of(self, source_object: str) -> tuple[FieldSchema, ...]:
        """Return the declared fields of a source object, whoever added them."""
        return tuple(one for one in self.fields.values() if one.source_object == source_object)

    def triggers_of(self, source_object: str) -> tuple[Trigger, ...]:
        """Return the triggers of a source object."""
        return tuple(one for one in self.triggers.values() if one.source_object == source_object)

    def actions_of(self, connector_type: str) -> tuple[Action[Any, Any], ...]:
        """Return the actions of a connector type, whoever added them."""
        return tuple(one for one in self.actions.values() if one.connector_type == connector_type)

    def operators_for(self, type: FieldType) -> tuple[Operator, ...]:
        """Return the operators that compare values of `type`."""
        return tuple(one for one in self.operators.values() if type in one.types)

    def resolvers_of(self, source_object: str) -> tuple[ServiceResolver[Any], ...]:
        """Return the resolvers of a source object, in the order in which they are asked."""
        return tuple(one for one in self.resolvers.values() if one.source_object == source_object)

    def templates_for(self, connector_type: str) -> tuple[RulesetTemplate[Any], ...]:
        """Return the ruleset templates in which a connector type plays a role."""
        return tuple(one for one in self.templates.values() if connector_type in one.roles.values())


def _by_name(declarations: Iterable[Declared]) -> Mapping[str, Declared]:
    return MappingProxyType({name_of(one): one for one in declarations})
