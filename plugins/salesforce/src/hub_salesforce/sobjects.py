"""sObjects described for the hub: hub names beside Salesforce's API names."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hub import Choice, FieldSchema, FieldType, SourceObject, Trigger, Value

if TYPE_CHECKING:
    from hub_salesforce.client import SalesforceClient
    from hub_salesforce.lookups import Lookup

NOISE = frozenset(
    {
        "LastModifiedDate",
        "LastModifiedById",
        "LastModifiedBy.Email",
        "SystemModstamp",
        "LastViewedDate",
        "LastReferencedDate",
    }
)
"""Fields that change with every save, or by being looked at."""


@dataclass(frozen=True, slots=True)
class SField:
    """One field: the hub's key and label, and Salesforce's API name.

    The API name may go through a lookup: `LastModifiedBy.Email`. Such a field can be read only.
    A field with a `lookup` also takes the name of a record that it may point at. A `computed`
    field is worked out by Salesforce: a push may leave it out, which does not mean empty. The
    keys of the fields that it is worked out from stand in `follows`.
    """

    key: str
    label: str
    api_name: str
    type: FieldType = FieldType.TEXT
    choices: tuple[str, ...] = ()
    choice_source: str | None = None
    writable: bool = False
    required: bool = False
    noise: bool = False
    max_length: int | None = None
    lookup: "Lookup | None" = None
    computed: bool = False
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShape:
    """Where an object's notes are kept: a child object with a text and a parent.

    `fixed` are values that every note of ours carries and that make a row a note
    ({"BMCServiceDesk__Action__c": "Notes"}). `longest` is in bytes, as Salesforce counts.
    `kind` is the field that names the kind of a note. `read_text` and `counts` are for notes
    that need more than one field to be read, or to be told from rows that are no notes; those
    fields are named in `reads`. `complete` returns what a note of ours carries besides.
    """

    api_name: str
    parent: str
    text: str
    public: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    longest: int = 4000
    kind: str | None = None
    reads: tuple[str, ...] = ()
    read_text: Callable[[Mapping[str, Any]], str] | None = None
    counts: Callable[[Mapping[str, Any]], bool] | None = None
    complete: "Callable[[SalesforceClient], Awaitable[Mapping[str, Any]]] | None" = None

    def text_of(self, row: Mapping[str, Any]) -> object:
        """Return the text of a row."""
        return self.read_text(row) if self.read_text else row.get(self.text)

    def is_note(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of the child object is a note."""
        fixed = all(row.get(name) == wanted for name, wanted in self.fixed.items())
        return fixed and (self.counts is None or self.counts(row))


COMMENT = SField("comment", "Comment", "", FieldType.TEXT)
COMMENT_AUTHOR = SField("comment_author", "Comment: author", "", FieldType.TEXT)
COMMENT_PUBLIC = SField("comment_public", "Comment: public", "", FieldType.BOOLEAN)
COMMENT_KIND = SField("comment_kind", "Comment: kind", "", FieldType.TEXT)
NOTE_FIELDS = (COMMENT, COMMENT_AUTHOR, COMMENT_PUBLIC)


@dataclass(frozen=True, kw_only=True)
class SObject:
    """A source object that is an sObject at the vendor; made by `sobject`.

    `number` is the API name of the field by which people know a record (CaseNumber).
    `polled_if` are the conditions, in SOQL, of the records that polling looks at.
    """

    name: str
    label: str
    api_name: str
    fields: tuple[SField, ...] = ()
    number: str = "Name"
    notes: tuple[NoteShape, ...] = ()
    polled_if: tuple[str, ...] = ()

    @property
    def source_object(self) -> SourceObject:
        """The declaration for `hub_register_source_objects`."""
        return SourceObject(name=self.name, label=self.label, vendor_name=self.api_name)

    @cached_property
    def by_api_name(self) -> Mapping[str, SField]:
        """The declared fields by API name."""
        return {one.api_name: one for one in self.fields if one.api_name}

    @cached_property
    def by_key(self) -> Mapping[str, SField]:
        """The declared fields by key."""
        return {one.key: one for one in self.fields}

    def key_of(self, api_name: str) -> str:
        """Return the key of a field: the declared one, else the API name itself."""
        known = self.by_api_name.get(api_name)
        return known.key if known else api_name

    def api_name_of(self, key: str) -> str:
        """Return the API name of a field key, or of a whole field name."""
        short = key.removeprefix(f"{self.name}.")
        known = self.by_key.get(short)
        return known.api_name if known and known.api_name else short

    def trigger(self, verb: str) -> Trigger:
        """Return one of the object's triggers."""
        return Trigger(source_object=self.name, verb=verb, label=f"{self.label} {verb}")

    def note_shape(self, api_name: str) -> NoteShape | None:
        """Return the shape of the object's notes that are rows of `api_name`."""
        return next((one for one in self.notes if one.api_name == api_name), None)


@dataclass(frozen=True, kw_only=True)
class Objects:
    """All objects of a connector type: declared ones, and any other by its API name.

    An object nobody declared is called `<prefix>.<api name in lower case>`.
    """

    prefix: str
    declared: tuple[SObject, ...]

    def named(self, name: str) -> SObject:
        """Return the object of a source object's name."""
        for one in self.declared:
            if one.name == name:
                return one
        return self.adopted(name.removeprefix(f"{self.prefix}."))

    def of(self, api_name: str) -> SObject:
        """Return the object of an API name, or of a source object's name.

        The letter case of API names does not count.
        """
        if api_name.startswith(f"{self.prefix}."):
            return self.named(api_name)
        for one in self.declared:
            if one.api_name.lower() == api_name.lower():
                return one
        return self.adopted(api_name)

    def adopted(self, api_name: str, label: str = "") -> SObject:
        """Return the object that an undeclared sObject becomes."""
        return SObject(
            name=f"{self.prefix}.{api_name.lower()}", label=label or api_name, api_name=api_name
        )

    def with_notes_in(self, api_name: str) -> tuple[SObject, NoteShape] | None:
        """Return the object whose notes are rows of `api_name`."""
        for one in self.declared:
            shape = one.note_shape(api_name)
            if shape:
                return one, shape
        return None


def objects(*declared: SObject) -> Objects:
    """Return the declared objects of one connector type."""
    return Objects(prefix=declared[0].name.split(".", 1)[0], declared=declared)


def sobject(  # noqa: PLR0913 - a declaration has many optional parts
    name: str,
    label: str,
    api_name: str,
    fields: Sequence[SField],
    *,
    number: str = "Name",
    notes: Sequence[NoteShape] = (),
    polled_if: Sequence[str] = (),
) -> SObject:
    """Describe an sObject; objects with notes get the fields of a note as well."""
    kinds = (COMMENT_KIND,) if any(one.kind for one in notes) else ()
    whole = (*fields, *(NOTE_FIELDS if notes else ()), *kinds)
    return SObject(
        name=name,
        label=label,
        api_name=api_name,
        fields=whole,
        number=number,
        notes=tuple(notes),
        polled_if=tuple(polled_if),
    )


def source_objects(*declared: SObject) -> list[SourceObject]:
    """Return what `hub_register_source_objects` wants."""
    return [one.source_object for one in declared]


def fields(*declared: SObject) -> list[FieldSchema]:
    """Return what `hub_register_fields` wants."""
    return [_schema(one, field) for one in declared for field in one.fields]


def triggers(*declared: SObject) -> list[Trigger]:
    """Return what `hub_register_triggers` wants: created, updated, deleted, and commented."""
    return [one.trigger(verb) for one in declared for verb in verbs(one)]


def verbs(declared: SObject) -> tuple[str, ...]:
    """Return the verbs of an object's triggers."""
    plain = ("created", "updated", "deleted")
    return (*plain, "commented") if declared.notes else plain


def note_values(text: str, author: str | None, *, public: Value) -> dict[str, Value]:
    """Return a note as fields of the record that it is about."""
    return {COMMENT.key: text, COMMENT_AUTHOR.key: author, COMMENT_PUBLIC.key: public}


def _schema(declared: SObject, one: SField) -> FieldSchema:
    return declared.source_object.field(
        one.key,
        one.label,
        one.type,
        choices=_choices(one.choices),
        choice_source=one.choice_source,
        writable=one.writable,
        required=one.required,
        noise=one.noise or one.api_name in NOISE,
        max_length=one.max_length,
        vendor_name=one.api_name,
        follows=one.follows,
    )


def _choices(values: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(value=one, label=one) for one in values)
