"""The messages of the Pub/Sub API that the hub uses, declared for the protobuf library."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "eventbus.v1"
SERVICE = f"/{PACKAGE}.PubSub"
LATEST, EARLIEST, CUSTOM = 0, 1, 2
"""Where a subscription begins: with what comes, with all that is kept, after a replay id."""

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "int32": _FIELD.TYPE_INT32,
    "bool": _FIELD.TYPE_BOOL,
    "preset": _FIELD.TYPE_ENUM,
}
# message: field -> (number, type); a type that is no plain one is a message, "*" means repeated
_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "ProducerEvent": {"id": (1, "string"), "schema_id": (2, "string"), "payload": (3, "bytes")},
    "ConsumerEvent": {"event": (1, "ProducerEvent"), "replay_id": (2, "bytes")},
    "FetchRequest": {
        "topic_name": (1, "string"),
        "replay_preset": (2, "preset"),
        "replay_id": (3, "bytes"),
        "num_requested": (4, "int32"),
        "auth_refresh": (5, "string"),
    },
    "FetchResponse": {
        "events": (1, "*ConsumerEvent"),
        "latest_replay_id": (2, "bytes"),
        "rpc_id": (3, "string"),
        "pending_num_requested": (4, "int32"),
    },
    "SchemaRequest": {"schema_id": (1, "string")},
    "SchemaInfo": {
        "schema_json": (1, "string"),
        "schema_id": (2, "string"),
        "rpc_id": (3, "string"),
    },
    "TopicRequest": {"topic_name": (1, "string")},
    "TopicInfo": {
        "topic_name": (1, "string"),
        "tenant_guid": (2, "string"),
        "can_publish": (3, "bool"),
        "can_subscribe": (4, "bool"),
        "schema_id": (5, "string"),
        "rpc_id": (6, "string"),
    },
}


def message(name: str) -> Any:  # noqa: ANN401 - a class that the protobuf library makes
    """Return the class of a message."""
    return _classes()[name]


@cache
def _classes() -> Mapping[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="hub_salesforce/pubsub.proto", package=PACKAGE, syntax="proto3"
    )
    preset = file.enum_type.add(name="ReplayPreset")
    for name, number in (("LATEST", LATEST), ("EARLIEST", EARLIEST), ("CUSTOM", CUSTOM)):
        preset.value.add(name=name, number=number)
    for name, fields in _MESSAGES.items():
        declared = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _declare(declared, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _declare(declared: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    label = _FIELD.LABEL_REPEATED if kind.startswith("*") else _FIELD.LABEL_OPTIONAL
    plain = kind.removeprefix("*")
    wire = _TYPES.get(plain, _FIELD.TYPE_MESSAGE)
    field = declared.field.add(name=name, number=number, label=label, type=wire)
    if plain == "preset":
        field.type_name = f".{PACKAGE}.ReplayPreset"
    elif plain not in _TYPES:
        field.type_name = f".{PACKAGE}.{plain}"
