"""Saving a record in the simulated org: checks in Salesforce's order, then commit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub_salesforce.testing.answers import Refused, save_refused
from hub_salesforce.testing.checking import checked, references_exist, required_present
from hub_salesforce.testing.schema import Definition
from hub_salesforce.testing.standard import STATUSES
from hub_salesforce.testing.world import Change, Row, User, World


@dataclass(frozen=True, kw_only=True)
class Saver:
    """Who saves, in what context, and with which mark of the caller."""

    world: World
    user: User
    context: str = "api"
    client: str = ""
    allow_duplicates: bool = False


def stamped(world: World) -> str:
    """Return the org's time as its answers write it: whole seconds."""
    return world.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class Transaction:
    """Saves that commit together; left without commit, everything is as before."""

    def __init__(self, saver: Saver) -> None:
        self.saver = saver
        self.world = saver.world
        self.changes: list[Change] = []
        self._undo: list[Callable[[], None]] = []

    def create(self, object: str, given: Row) -> str:
        """Create a record and return its id."""
        definition = self.world.definition(object)
        name = definition["name"]
        values = checked(self.saver, definition, given, creating=True)
        row: Row = {one["name"]: None for one in definition["fields"]}
        row |= {one["name"]: False for one in definition["fields"] if one["type"] == "boolean"}
        row |= self._defaults(definition) | {k: v for k, v in values.items() if v is not None}
        references_exist(self.saver, definition, values)
        required_present(definition, row)
        row["Id"] = self.world.mint(definition["keyPrefix"])
        self._automate(name, row, None)
        self._refuse_duplicates(definition, row)
        self._stamp(name, row, created=True)
        self._put(name, row, None)
        self._after(self._change(name, "insert", None, dict(row)))
        return str(row["Id"])

    def update(self, object: str, id: str, given: Row) -> None:
        """Change a record."""
        definition = self.world.definition(object)
        name = definition["name"]
        old = self.world.find(name, id)
        if old is None or old["IsDeleted"]:
            raise self._gone(old)
        values = checked(self.saver, definition, given, creating=False)
        references_exist(self.saver, definition, values)
        row = {**old, **values}
        required_present(definition, row)
        self._automate(name, row, old)
        self._refuse_duplicates(definition, row)
        self._stamp(name, row, created=False)
        self._put(name, row, old)
        self._after(self._change(name, "update", dict(old), dict(row)))

    def delete(self, object: str, id: str) -> None:
        """Put a record, and what belongs to it, into the recycle bin."""
        definition = self.world.definition(object)
        old = self.world.find(definition["name"], id)
        if old is None or old["IsDeleted"]:
            raise self._gone(old)
        self._mark(definition["name"], old, deleted=True)
        for child in definition["childRelationships"]:
            for row in list(self.world.records.get(child["childSObject"], {}).values()):
                if row.get(child["field"]) == id and not row["IsDeleted"]:
                    self._mark(child["childSObject"], row, deleted=True)

    def undelete(self, object: str, id: str) -> None:
        """Take a record out of the recycle bin."""
        name = self.world.definition(object)["name"]
        old = self.world.find(name, id)
        if old is None:
            raise self._gone(None)
        self._mark(name, old, deleted=False)

    def commit(self) -> list[Change]:
        """Make the changes known: pushes and messages go out after this."""
        self._undo.clear()
        for told in self.world.automation.on_commit:
            told(self.changes)
        return self.changes

    def rollback(self) -> None:
        """Undo everything."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self.changes.clear()

    def _gone(self, old: Row | None) -> Refused:
        if old is not None:
            error = {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}
            return Refused(404, error)
        words = "The requested resource does not exist"
        return Refused(404, {"errorCode": "NOT_FOUND", "message": words})

    def _mark(self, name: str, old: Row, *, deleted: bool) -> None:
        row = {**old, "IsDeleted": deleted}
        self._stamp(name, row, created=False)
        self._put(name, row, old)
        operation = "delete" if deleted else "undelete"
        new = None if deleted else dict(row)
        self.changes.append(self._change(name, operation, dict(old), new))

    def _change(self, object: str, operation: str, old: Row | None, new: Row | None) -> Change:
        return Change(
            object=object,
            operation=operation,
            old=old,
            new=new,
            user=self.saver.user,
            context=self.saver.context,
            client=self.saver.client,
        )

    def _put(self, name: str, row: Row, old: Row | None) -> None:
        table, own = self.world.records[name], row["Id"]
        table[own] = row

        def undo() -> None:
            if old is None:
                table.pop(own, None)
            else:
                table[own] = old

        self._undo.append(undo)

    def _defaults(self, definition: Definition) -> Row:
        found: Row = {}
        for one in definition["fields"]:
            if one["defaultValue"] is not None:
                found[one["name"]] = one["defaultValue"]
            if one["name"] == "OwnerId":
                found["OwnerId"] = self.saver.user.id
            if one["autoNumber"]:
                count = len(self.world.records[definition["name"]]) + 1026
                found[one["name"]] = f"{count:08d}"
        return found

    def _automate(self, name: str, row: Row, old: Row | None) -> None:
        for hook in self.world.automation.before.get(name, ()):
            hook(self.world, row, old)
        if name == "Case":
            self._derive_case(row)
        if name == "Contact":
            row["Name"] = " ".join(filter(None, (row["FirstName"], row["LastName"])))
        broken = [rule(row, old) for rule in self.world.automation.rules.get(name, ())]
        faults = [one for one in broken if one]
        if faults:
            raise Refused(400, *(_fault(*one) for one in faults))

    def _derive_case(self, row: Row) -> None:
        closing = {status for status, closes in STATUSES if closes}
        row["IsClosed"] = row["Status"] in closing
        if not row["IsClosed"]:
            row["ClosedDate"] = None
        elif row["ClosedDate"] is None:
            row["ClosedDate"] = stamped(self.world)
        contact = self.world.find("Contact", str(row["ContactId"])) if row["ContactId"] else None
        for name, source in (("ContactEmail", "Email"), ("ContactPhone", "Phone")):
            row[name] = contact[source] if contact else None

    def _refuse_duplicates(self, definition: Definition, row: Row) -> None:
        for one in definition["fields"]:
            value = row.get(one["name"])
            if not one["unique"] or value is None:
                continue
            for other in self.world.rows(definition["name"]):
                same = _same(one, other.get(one["name"]), value) and other["Id"] != row["Id"]
                if same and not other["IsDeleted"]:
                    words = (
                        f"duplicate value found: {one['name']} duplicates value on record with "
                        f"id: {other['Id'][:15]}"
                    )
                    raise save_refused("DUPLICATE_VALUE", words)

    def _stamp(self, name: str, row: Row, *, created: bool) -> None:
        at, who = stamped(self.world), self.saver.user.id
        if created:
            row["CreatedDate"], row["CreatedById"] = at, who
        row["LastModifiedDate"] = row["SystemModstamp"] = at
        row["LastModifiedById"] = who
        if name not in self.world.records:
            self.world.records[name] = {}

    def _after(self, change: Change) -> None:
        self.changes.append(change)
        self._history(change)
        if change.object == "Case" and change.new:
            self._internal_comment(change)
        if change.object == "CaseComment" and self.world.switches.comment_touches_case:
            self._touch(str((change.new or {}).get("ParentId")))
        for hook in self.world.automation.after.get(change.object, ()):
            if change.context != "flow":
                hook(self.world, change)

    def _internal_comment(self, change: Change) -> None:
        """Make a comment of what is written into `Comments`, and empty the field."""
        new = change.new or {}
        text, old = new.get("Comments"), (change.old or {}).get("Comments")
        if text and text != old:
            body = {"ParentId": new["Id"], "CommentBody": text, "IsPublished": False}
            self.create("CaseComment", body)

    def _touch(self, id: str) -> None:
        row = self.world.find("Case", id)
        if row:
            fresh = dict(row)
            self._stamp("Case", fresh, created=False)
            self._put("Case", fresh, row)

    def _history(self, change: Change) -> None:
        tracked = self.world.automation.tracked.get(change.object, ())
        table = f"{change.object}History"
        if change.old is None or change.new is None or table not in self.world.definitions:
            return
        for name in tracked:
            before, now = change.old.get(name), change.new.get(name)
            if before != now:
                self._history_row(table, change.new["Id"], name, before, now)

    def _history_row(self, table: str, id: str, name: str, before: Any, now: Any) -> None:  # noqa: ANN401
        definition = self.world.definitions[table]
        row: Row = {one["name"]: None for one in definition["fields"]}
        row |= {
            "Id": self.world.mint(definition["keyPrefix"]),
            "IsDeleted": False,
            "CaseId": id,
            "Field": name.removesuffix("Id"),
            "OldValue": before,
            "NewValue": now,
        }
        self._stamp(table, row, created=True)
        self._put(table, row, None)


def save(saver: Saver, act: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what `act` gives
    """Run `act` in a transaction; a refusal leaves everything as it was."""
    transaction = Transaction(saver)
    try:
        result = act(transaction)
    except Refused:
        transaction.rollback()
        raise
    transaction.commit()
    return result


def _same(info: Definition, one: Any, other: Any) -> bool:  # noqa: ANN401 - field values
    """Tell whether two values of a unique field are the same; letter case counts only if told."""
    if info["caseSensitive"] or not isinstance(one, str):
        return bool(one == other)
    return one.lower() == str(other).lower()


def _fault(message: str, fields: list[str]) -> dict[str, Any]:
    return {"message": message, "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": fields}
