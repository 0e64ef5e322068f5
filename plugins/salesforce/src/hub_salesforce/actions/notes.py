"""Comments, and posts in a record's feed."""

from datetime import UTC, timedelta
from typing import Any, Literal

from pydantic import Field

import hub
from hub import Action, ActionCall, ActionResult, ConnectorType, Repeat
from hub_salesforce import soql
from hub_salesforce.actions.targets import target_of
from hub_salesforce.client import SalesforceClient
from hub_salesforce.forms import Form
from hub_salesforce.sobjects import NoteShape, Objects, SObject

LONGEST_POST = 10_000
"""Characters of a feed post."""
_CUT = "… (cut)"
_EARLIER = timedelta(minutes=10)
_LOOKED_AT = 200


class AddComment(Form):
    """A comment to write."""

    body: str = Field(
        title="Comment",
        description="Cut after 4000 bytes, as Salesforce counts.",
        min_length=1,
        json_schema_extra={"x-hub": {"multiline": True}},
    )
    public: bool = Field(
        default=False,
        title="Visible to the customer",
        description="Else it is an internal comment.",
    )


class PostToFeed(Form):
    """A post in the feed of a record."""

    object: str = Field(
        default="",
        title="Object",
        description="Empty for the rule's own object; else as salesforce.account.",
        json_schema_extra={"x-hub": {"source": "source_objects", "advanced": True}},
    )
    body: str = Field(
        title="Text",
        description="Cut after 10,000 characters.",
        min_length=1,
        json_schema_extra={"x-hub": {"multiline": True}},
    )
    visibility: Literal["InternalUsers", "AllUsers"] = Field(
        default="InternalUsers",
        title="Visible to",
        description="All users are those of portals and communities too.",
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return add_comment and post_to_feed."""
    return [_add_comment(connector_type, objects), _post_to_feed(connector_type, objects)]


def _add_comment(connector_type: ConnectorType[Any, Any], objects: Objects) -> Action[Any, Any]:
    async def add(call: ActionCall[SalesforceClient, AddComment]) -> ActionResult:
        declared, record = target_of(call, objects)
        shape = note_shape(declared)
        row = comment_row(shape, record.id, call.params.body, public=call.params.public)
        row |= await shape.complete(call.client) if shape.complete else {}
        made = await made_note(call, shape.api_name, row)
        return _added(shape, made, row)

    async def find_comment(
        call: ActionCall[SalesforceClient, AddComment],
    ) -> ActionResult | None:
        declared, record = target_of(call, objects)
        shape = note_shape(declared)
        row = comment_row(shape, record.id, call.params.body, public=call.params.public)
        parent = f"{shape.parent} = {soql.literal(record.id)}"
        made = await own_note(call, shape.api_name, parent, shape.text, str(row[shape.text]))
        return _added(shape, made, row) if made else None

    return connector_type.action(
        "add_comment",
        "Add comment",
        AddComment,
        add,
        target=next(one for one in objects.declared if one.notes).source_object,
        repeat=Repeat.FIND_FIRST,
        find=find_comment,
        notes=True,
    )


def _post_to_feed(connector_type: ConnectorType[Any, Any], objects: Objects) -> Action[Any, Any]:
    async def post(call: ActionCall[SalesforceClient, PostToFeed]) -> ActionResult:
        _, record = target_of(call, objects)
        made = await made_note(call, "FeedItem", feed_row(record.id, call.params))
        return ActionResult(summary="Posted in the feed", note=made)

    async def find_post(call: ActionCall[SalesforceClient, PostToFeed]) -> ActionResult | None:
        _, record = target_of(call, objects)
        row = feed_row(record.id, call.params)
        parent = f"ParentId = {soql.literal(record.id)}"
        made = await own_note(call, "FeedItem", parent, "Body", str(row["Body"]))
        return ActionResult(summary="Posted in the feed", note=made) if made else None

    return connector_type.action(
        "post_to_feed",
        "Post in the feed",
        PostToFeed,
        post,
        repeat=Repeat.FIND_FIRST,
        find=find_post,
        notes=True,
    )


def comment_row(shape: NoteShape, parent: str, text: str, *, public: bool) -> dict[str, Any]:
    """Return the row of a note, its text cut to what Salesforce stores."""
    published = {shape.public: public} if shape.public else {}
    return {
        shape.parent: parent,
        shape.text: fitted(text, longest=shape.longest),
        **published,
        **shape.fixed,
    }


def fitted(text: str, *, longest: int) -> str:
    """Return the text cut to `longest` bytes of UTF-8, never in the middle of a character."""
    whole = text.encode()
    if len(whole) <= longest:
        return text
    room = longest - len(_CUT.encode())
    return whole[:room].decode(errors="ignore") + _CUT


def feed_row(parent: str, params: PostToFeed) -> dict[str, Any]:
    """Return the row of a feed post."""
    text = params.body
    cut = text if len(text) <= LONGEST_POST else text[: LONGEST_POST - len(_CUT)] + _CUT
    return {
        "ParentId": parent,
        "Body": cut,
        "Type": "TextPost",
        "Visibility": params.visibility,
        "IsRichText": False,
    }


async def own_note(
    call: ActionCall[SalesforceClient, Any], api_name: str, parent: str, field: str, text: str
) -> str | None:
    """Return the id of our note with this text; long text can't be asked for, so it is read."""
    access = await call.client.session.access()
    since = call.event.occurred_at.astimezone(UTC) - _EARLIER
    statement = soql.select(
        ["Id", field],
        api_name,
        parent,
        f"CreatedById = {soql.literal(access.user_id)}",
        f"CreatedDate >= {soql.literal(since)}",
        order="CreatedDate DESC",
        limit=_LOOKED_AT,
    )
    rows = await call.client.query_page(statement)
    wanted = _plain(text)
    return next((str(row["Id"]) for row in rows if _plain(str(row[field])) == wanted), None)


async def made_note(
    call: ActionCall[SalesforceClient, Any], api_name: str, row: dict[str, Any]
) -> str:
    """Make the row of a note and return its id; with others while requests are to be spared."""
    client = call.client
    return await (client.create_together if call.sparing else client.create)(api_name, row)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def note_shape(declared: SObject) -> NoteShape:
    """Return where an object's notes are kept; Rejected for an object without notes."""
    if not declared.notes:
        raise hub.Rejected(f"{declared.label} has no comments that the hub knows: post in the feed")
    return declared.notes[0]


def _added(shape: NoteShape, id: str, row: dict[str, Any]) -> ActionResult:
    kind = "a public" if shape.public and row[shape.public] else "an internal"
    cut = (
        ", cut to the longest that Salesforce stores" if str(row[shape.text]).endswith(_CUT) else ""
    )
    return ActionResult(summary=f"Added {kind} comment{cut}", note=id)
