"""DynamoDB: conditions and transactions hold, streams tell of what was written, and what is read costs what it holds."""

import base64
import copy
import threading
from typing import Any

from botocore.model import Shape
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from . import streams
from .replacing import replaces

# One lock for all tables: a call takes no time, and a transaction may span tables.
_calling = threading.Lock()

# The hash key that is asked for, while the call with the lock reads only its items.
_hash_key: DynamoType | None = None

# The hash keys that a transaction may write to, while it has the lock.
_written: list[DynamoType] | None = None

moto_call_action = DynamoHandler.call_action
_transact_write_items = DynamoDBBackend.transact_write_items
_query = Table.query
_all_items = Table.all_items
_serialize_any = BaseJSONSerializer._serialize


@replaces(DynamoHandler)
def call_action(self: DynamoHandler) -> Any:
    """moto checks a condition and then writes; requests run in threads, so two could pass the check together."""
    with _calling:
        streams.begin()
        done = False
        try:
            answer = moto_call_action(self)
            done = not isinstance(answer, tuple) or int(answer[0]) < 400
            return answer
        finally:
            streams.end(done)


@replaces(Table)
def query(self: Table, hash_key: DynamoType | None, *rest: Any, **named: Any) -> Any:
    """moto sorts all items of the table, and then takes those with the hash key; which are in a place of their own."""
    global _hash_key
    _hash_key = hash_key if named.get("index_name") is None and self.range_key_attr else None
    try:
        return _query(self, hash_key, *rest, **named)
    finally:
        _hash_key = None


@replaces(Table)
def all_items(self: Table) -> list[Item]:
    return _all_items(self) if _hash_key is None else list(self.items.get(_hash_key, {}).values())


@replaces(DynamoDBBackend)
def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """moto copies the tables, with all that they and their streams ever had, to take the transaction back."""
    global _written
    writes = [write for item in transact_items for write in item.values() if write.get("TableName") in self.tables]
    keys = [write.get("Item", write.get("Key", {})).get(self.tables[write["TableName"]].hash_key_attr) for write in writes]
    _written = [DynamoType(key) for key in keys if key is not None]
    try:
        _transact_write_items(self, transact_items)
    finally:
        _written = None


@replaces(Table)
def __deepcopy__(self: Table, memo: dict[int, Any]) -> Table:
    """A copy for a transaction: what it does not write to is shared with the table."""
    clone = copy.copy(self)
    memo[id(self)] = clone
    if _written is None:
        vars(clone).update({name: copy.deepcopy(value, memo) for name, value in vars(self).items()})
        return clone
    clone.items = copy.copy(self.items)
    for key in _written:
        if key in self.items:
            clone.items[key] = copy.deepcopy(self.items[key], memo)
    if self.stream_shard is not None:
        clone.stream_shard = copy.copy(self.stream_shard)
        clone.stream_shard.table = clone
        clone.stream_shard.items = list(self.stream_shard.items)
    return clone


# --- values ---


def _plain(value: Any) -> Any:
    """A value of DynamoDB's as JSON has it."""
    if isinstance(value, DynamoType):
        return {value.type: _plain(value.value)}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, set, tuple)):
        return [_plain(part) for part in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@replaces(BaseJSONSerializer)
def _serialize(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Shape, key: str) -> None:
    """An attribute's value is JSON already. moto looks at each part of it for each name that the model has."""
    if shape.name == "AttributeValue" and key and isinstance(value, (dict, DynamoType)):
        serialized[key] = _plain(value)
    else:
        _serialize_any(self, serialized, value, shape, key)


@replaces(DynamoType)
def to_regular_json(self: DynamoType) -> dict[str, Any]:
    """moto copies a value with all that is in it, then each part of it again."""
    if isinstance(self.value, dict):
        return {self.type: {name: part.to_regular_json() if isinstance(part, DynamoType) else part for name, part in self.value.items()}}
    if isinstance(self.value, list):
        return {self.type: [part.to_regular_json() if isinstance(part, DynamoType) else part for part in self.value]}
    return {self.type: base64.b64decode(self.value) if self.is_binary() and isinstance(self.value, str) else self.value}
