"""The standard objects of the simulated org, and the custom fields of its Cases."""

from hub_salesforce.testing.schema import (
    Definition,
    define,
    field,
    picklist,
    read_only,
    reference,
)

_OWNER = {"nillable": False, "defaultedOnCreate": True}
_LOCKED = {"createable": False, "updateable": False}
_CASE_TYPES = ("Mechanical", "Electrical", "Electronic", "Structural", "Other")
_USER_TYPES = ("Standard", "AutomatedProcess", "CloudIntegrationUser")
STATUSES = (("New", False), ("Working", False), ("Escalated", False), ("Closed", True))


def custom_case_fields() -> list[Definition]:
    """Return the fields that an administrator adds for the hub."""
    return [
        field("PagerDuty_Incident_Id__c", "PagerDuty Incident ID", length=40),
        field("PagerDuty_Incident_URL__c", "PagerDuty Incident URL", "url"),
        field(
            "PagerDuty_Hub_Key__c",
            "PagerDuty Hub Key",
            length=40,
            externalId=True,
            unique=True,
            caseSensitive=True,
            idLookup=True,
        ),
    ]


def standard_objects() -> list[Definition]:
    """Return the objects that every org has, as far as the hub uses them."""
    return [
        _case(),
        _case_comment(),
        _account(),
        _contact(),
        _user(),
        _organization(),
        _group(),
        _queue_sobject(),
        _record_type(),
        _case_status(),
        _feed_item(),
        _case_history(),
    ]


def _case() -> Definition:
    return define(
        "Case",
        "Case",
        "500",
        [
            reference("MasterRecordId", "Master Record ID", "Case", **_LOCKED),
            read_only(
                "CaseNumber", "Case Number", length=30, nillable=False, autoNumber=True,
                defaultedOnCreate=True, nameField=True, idLookup=True,
            ),
            reference("ContactId", "Contact ID", "Contact"),
            reference("AccountId", "Account ID", "Account"),
            reference("AssetId", "Asset ID", "Asset"),
            reference("ParentId", "Parent Case ID", "Case"),
            field("SuppliedName", "Name", length=80),
            field("SuppliedEmail", "Email Address", "email"),
            field("SuppliedPhone", "Phone", length=40),
            field("SuppliedCompany", "Company", length=80),
            picklist("Type", "Case Type", _CASE_TYPES),
            picklist("Status", "Status", [name for name, _ in STATUSES], "New"),
            picklist(
                "Reason", "Case Reason",
                ("Installation", "Equipment Complexity", "Performance", "Breakdown",
                 "Equipment Design", "Feedback", "Other"),
            ),
            picklist("Origin", "Case Origin", ("Phone", "Email", "Web")),
            field("Subject", "Subject"),
            picklist("Priority", "Priority", ("High", "Medium", "Low"), "Medium"),
            field("Description", "Description", "textarea"),
            read_only("IsClosed", "Closed", "boolean"),
            read_only("ClosedDate", "Closed Date", "datetime"),
            field("IsEscalated", "Escalated", "boolean"),
            reference("OwnerId", "Owner ID", "Group", "User", **_OWNER),
            read_only("ContactPhone", "Contact Phone", "phone"),
            read_only("ContactMobile", "Contact Mobile", "phone"),
            read_only("ContactEmail", "Contact Email", "email"),
            read_only("ContactFax", "Contact Fax", "phone"),
            field("Comments", "Internal Comments", "textarea", length=4000),
            read_only("LastViewedDate", "Last Viewed Date", "datetime"),
            read_only("LastReferencedDate", "Last Referenced Date", "datetime"),
        ],
        children=[
            ("CaseComments", "CaseComment", "ParentId"),
            ("Histories", "CaseHistory", "CaseId"),
            ("Cases", "Case", "ParentId"),
            ("FeedItems", "FeedItem", "ParentId"),
        ],
    )  # fmt: skip


def _case_comment() -> Definition:
    return define(
        "CaseComment",
        "Case Comment",
        "00a",
        [
            reference("ParentId", "Parent ID", "Case", nillable=False, updateable=False),
            field("IsPublished", "Published", "boolean"),
            field("CommentBody", "Body", "textarea", length=4000, updateable=False),
        ],
    )


def _account() -> Definition:
    return define(
        "Account",
        "Account",
        "001",
        [
            field("Name", "Account Name", nillable=False, nameField=True),
            picklist("Type", "Account Type", ("Prospect", "Customer", "Other")),
            field("Phone", "Account Phone", "phone"),
            field("Website", "Website", "url"),
            field("Description", "Account Description", "textarea"),
            field("AnnualRevenue", "Annual Revenue", "currency", precision=18),
            field("NumberOfEmployees", "Employees", "int", digits=8),
            reference("OwnerId", "Owner ID", "User", **_OWNER),
        ],
        children=[("Cases", "Case", "AccountId"), ("Contacts", "Contact", "AccountId")],
    )


def _contact() -> Definition:
    return define(
        "Contact",
        "Contact",
        "003",
        [
            reference("AccountId", "Account ID", "Account"),
            field("LastName", "Last Name", length=80, nillable=False),
            field("FirstName", "First Name", length=40),
            read_only("Name", "Full Name", nameField=True),
            field("Email", "Email", "email"),
            field("Phone", "Business Phone", "phone"),
            field("MobilePhone", "Mobile Phone", "phone"),
            field("Fax", "Business Fax", "phone"),
            field("Birthdate", "Birthdate", "date"),
            reference("OwnerId", "Owner ID", "User", **_OWNER),
        ],
        children=[("Cases", "Case", "ContactId")],
    )


def _user() -> Definition:
    return define(
        "User",
        "User",
        "005",
        [
            field("Username", "Username", length=80, nillable=False, idLookup=True),
            field("Name", "Full Name", nameField=True),
            field("Email", "Email", "email", nillable=False, idLookup=True),
            field("IsActive", "Active", "boolean"),
            picklist("UserType", "User Type", _USER_TYPES),
        ],
        writable=False,
    )  # fmt: skip


def _organization() -> Definition:
    return define(
        "Organization",
        "Organization",
        "00D",
        [
            read_only("Name", "Name", length=80, nameField=True),
            read_only("IsSandbox", "Is Sandbox", "boolean"),
            read_only("InstanceName", "Instance Name", length=5),
            picklist("OrganizationType", "Edition", ("Developer Edition", "Enterprise Edition")),
            read_only("TrialExpirationDate", "Trial Expiration Date", "datetime"),
        ],
        writable=False,
    )


def _group() -> Definition:
    return define(
        "Group",
        "Group",
        "00G",
        [
            field("Name", "Name", length=40, nillable=False, nameField=True),
            field("DeveloperName", "Developer Name", length=80),
            picklist("Type", "Type", ("Regular", "Queue")),
        ],
        writable=False,
    )


def _queue_sobject() -> Definition:
    return define(
        "QueueSobject",
        "Queue Sobject",
        "03g",
        [
            reference("QueueId", "Group ID", "Group"),
            picklist("SobjectType", "Sobject Type", ("Case", "Lead")),
        ],
        writable=False,
    )


def _record_type() -> Definition:
    return define(
        "RecordType",
        "Record Type",
        "012",
        [
            field("Name", "Record Type Label", length=80, nameField=True),
            field("DeveloperName", "Record Type Name", length=80),
            picklist("SobjectType", "Sobject Type", ("Case", "Account")),
            field("IsActive", "Active", "boolean"),
        ],
        writable=False,
    )


def _case_status() -> Definition:
    return define(
        "CaseStatus",
        "Case Status Value",
        "01J",
        [
            field("ApiName", "API Name", nillable=False),
            field("MasterLabel", "Master Label", nillable=False, nameField=True),
            field("SortOrder", "Sort Order", "int"),
            field("IsDefault", "Is Default", "boolean"),
            field("IsClosed", "Is Closed", "boolean"),
        ],
        writable=False,
    )


def _feed_item() -> Definition:
    return define(
        "FeedItem",
        "Feed Item",
        "0D5",
        [
            reference("ParentId", "Parent ID", "Case", "Account", nillable=False, updateable=False),
            field("Body", "Body", "textarea", length=10000),
            picklist("Type", "Feed Item Type", ("TextPost", "CaseCommentPost", "TrackedChange")),
            picklist("Visibility", "Visibility", ("AllUsers", "InternalUsers"), "AllUsers"),
            field("IsRichText", "Is Rich Text", "boolean"),
        ],
    )


def _case_history() -> Definition:
    return define(
        "CaseHistory",
        "Case History",
        "017",
        [
            reference("CaseId", "Case ID", "Case", nillable=False),
            picklist("Field", "Changed Field", ("Status", "Priority", "Owner", "created")),
            read_only("OldValue", "Old Value"),
            read_only("NewValue", "New Value"),
        ],
        writable=False,
    )
