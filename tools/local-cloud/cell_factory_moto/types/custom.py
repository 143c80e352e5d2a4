"""Custom resources: their functions really run, and answer as they answer CloudFormation."""

import copy
import json
import uuid
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.exceptions import ServiceException

from .. import functions
from ..model import CUSTOM, Model, model

# An https address without a port, as on AWS; the functions' runtime knows where it leads.
ANSWERS = "https://cloudformation-custom-resource-response.localhost/moto-api/cell-factory/answers"

# Answers that have arrived, by token.
_answers: dict[str, bytes] = {}


def take_answer(token: str, body: bytes) -> None:
    """Called by the server when a function answers."""
    _answers[token] = body


def _texts(value: Any) -> Any:
    """CloudFormation sends every value as text."""
    if isinstance(value, dict):
        return {key: _texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@model
class CustomResource(Model):
    """`Custom::...` too. One of a topic, or of a function that the local cloud can't run, is left out and listed."""

    type = CUSTOM
    replaced_by = ("ServiceToken",)
    sends_failed_updates_back = True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def create(self) -> None:
        self.data: dict[str, Any] = {}
        token = str(self.properties.get("ServiceToken"))
        self.is_skipped = ":lambda:" not in token or not functions.runs(functions.find(token))
        if not self.is_skipped:
            self._take(self._send("Create"))

    def update(self, old: dict[str, Any]) -> Model | None:
        """Another physical id is another resource: CloudFormation deletes the one before when the stack's update has succeeded."""
        if self.is_skipped:
            return None
        before = copy.copy(self)
        before.properties = copy.deepcopy(old)
        self._take(self._send("Update", OldResourceProperties=_texts(old)))
        return before if before.physical_resource_id != self.physical_resource_id else None

    def delete(self) -> None:
        if not self.is_skipped:
            self._send("Delete")

    def attribute(self, name: str) -> Any:
        if self.is_skipped:
            return f"{self.physical_resource_id}.{name}"
        if name not in self.data:
            raise ValidationError(message=f"CustomResource attribute error: Vendor response doesn't contain {name} attribute in object")
        return self.data[name]

    def _take(self, answer: dict[str, Any]) -> None:
        self.data = answer.get("Data") or {}
        self.physical_resource_id = answer["PhysicalResourceId"]

    def _send(self, kind: str, **more: Any) -> dict[str, Any]:
        """Runs the function for one request and gives its answer. AWS waits an hour for one that does not come; here the end of the
        function is the end of waiting."""
        token = uuid.uuid4().hex
        event = {
            "RequestType": kind,
            "ServiceToken": self.properties["ServiceToken"],
            "ResponseURL": f"{ANSWERS}/{token}",
            "StackId": self.stack_id,
            "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": self.logical_resource_id,
            "ResourceType": self.cf_resource_type,
            "ResourceProperties": _texts(self.properties),
            **({} if kind == "Create" else {"PhysicalResourceId": self.physical_resource_id}),
            **more,
        }
        outcome = functions.run(functions.find(self.properties["ServiceToken"]), json.dumps(event))
        answer = _parsed(_answers.pop(token, None), outcome)
        if answer.get("Status") == "SUCCESS" and answer.get("PhysicalResourceId"):
            return answer
        if kind == "Create" and answer.get("PhysicalResourceId"):
            self._clear_up(answer["PhysicalResourceId"])
        reason = answer.get("Reason") if answer.get("Status") == "FAILED" else "Invalid PhysicalResourceId"
        message = f"Received response status [{answer.get('Status')}] from custom resource. Message returned: {reason}"
        raise ServiceException(f"{message} (RequestId: {event['RequestId']})")

    def _clear_up(self, physical_id: str) -> None:
        """What a failed creation has left is deleted, as in AWS's rollback. That this fails changes nothing."""
        self.physical_resource_id = physical_id
        try:
            self._send("Delete")
        except ServiceException:
            return


def _parsed(body: bytes | None, outcome: functions.Outcome) -> dict[str, Any]:
    if body is None:
        why = f": {outcome.message}" if outcome.failed else ""
        raise ServiceException(f"CloudFormation did not receive a response from your Custom Resource{why}")
    try:
        return json.loads(body)
    except ValueError as error:
        raise ServiceException("Invalid Json received from custom resource") from error
