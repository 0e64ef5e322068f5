"""The Case of Salesforce Service Cloud, declared."""

from hub import FieldType
from hub_salesforce.sobjects import NoteShape, SField, objects, sobject

_TIME, _REF, _BOOL = FieldType.TIMESTAMP, FieldType.REFERENCE, FieldType.BOOLEAN

CASE_COMMENT = NoteShape(
    api_name="CaseComment", parent="ParentId", text="CommentBody", public="IsPublished"
)
CASE = sobject(
    "salesforce.case",
    "Case",
    "Case",
    [
        SField("number", "Case number", "CaseNumber"),
        SField("subject", "Subject", "Subject", writable=True, max_length=255),
        SField("description", "Description", "Description", writable=True, max_length=32000),
        SField(
            "status",
            "Status",
            "Status",
            FieldType.CHOICE,
            choice_source="case_status",
            writable=True,
        ),
        SField(
            "priority",
            "Priority",
            "Priority",
            FieldType.CHOICE,
            choice_source="case_priority",
            writable=True,
        ),
        SField(
            "type", "Case type", "Type", FieldType.CHOICE, choice_source="case_type", writable=True
        ),
        SField(
            "reason",
            "Case reason",
            "Reason",
            FieldType.CHOICE,
            choice_source="case_reason",
            writable=True,
        ),
        SField(
            "origin",
            "Case origin",
            "Origin",
            FieldType.CHOICE,
            choice_source="case_origin",
            writable=True,
        ),
        SField("is_closed", "Closed", "IsClosed", _BOOL, follows=("status",)),
        SField("is_escalated", "Escalated", "IsEscalated", _BOOL, writable=True),
        SField("owner", "Owner", "OwnerId", _REF, choice_source="owners", writable=True),
        SField("contact", "Contact", "ContactId", _REF, writable=True),
        SField("contact_email", "Contact e-mail", "ContactEmail", follows=("contact",)),
        SField("contact_phone", "Contact phone", "ContactPhone", follows=("contact",)),
        SField("account", "Account", "AccountId", _REF, writable=True),
        SField("asset", "Asset", "AssetId", _REF, writable=True),
        SField("parent", "Parent case", "ParentId", _REF, writable=True),
        SField("merged_into", "Merged into", "MasterRecordId", _REF),
        SField("web_name", "Web name", "SuppliedName", writable=True, max_length=80),
        SField("web_email", "Web e-mail", "SuppliedEmail", writable=True, max_length=80),
        SField("web_phone", "Web phone", "SuppliedPhone", writable=True, max_length=40),
        SField("web_company", "Web company", "SuppliedCompany", writable=True, max_length=80),
        SField("created_at", "Created at", "CreatedDate", _TIME),
        SField("created_by", "Created by", "CreatedById", _REF),
        SField("closed_at", "Closed at", "ClosedDate", _TIME, follows=("status",)),
        SField("changed_at", "Changed at", "LastModifiedDate", _TIME, noise=True),
        SField("changed_by", "Changed by", "LastModifiedById", _REF, noise=True),
        SField("changed_by_email", "Changed by: e-mail", "LastModifiedBy.Email", noise=True),
        SField("stamped_at", "System stamp", "SystemModstamp", _TIME, noise=True),
        SField("viewed_at", "Last viewed at", "LastViewedDate", _TIME, noise=True),
        SField("referenced_at", "Last referenced at", "LastReferencedDate", _TIME, noise=True),
    ],
    number="CaseNumber",
    notes=[CASE_COMMENT],
)
OBJECTS = objects(CASE)
