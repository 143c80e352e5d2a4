"""Nested stacks. moto's model has no outputs to refer to, takes a failed stack for a created one, and updates by deleting."""

from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core.exceptions import ServiceException
from moto.utilities.utils import get_partition

from ..model import Model, model, tag_dict


@model
class NestedStack(Model):
    type = "AWS::CloudFormation::Stack"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr.startswith("Outputs.")

    def create(self) -> None:
        self.stack = self.backend.create_stack(self.name, self._template(), self._parameters(), tags=tag_dict(self.properties))
        self.physical_resource_id = self.stack.stack_id
        self._insist("CREATE_COMPLETE", "created")

    def update(self, old: dict[str, Any]) -> None:
        self.stack.update(self._template(), None, self._parameters(), tag_dict(self.properties))
        self._insist("UPDATE_COMPLETE", "updated")

    def delete(self) -> None:
        self.backend.delete_stack(self.physical_resource_id)
        self._insist("DELETE_COMPLETE", "deleted")

    def attribute(self, name: str) -> str:
        key = name.removeprefix("Outputs.")
        return next(output["OutputValue"] for output in self.stack.listed_outputs if output["OutputKey"] == key)

    @property
    def backend(self) -> Any:
        return cloudformation_backends[self.account_id][self.region]

    def _template(self) -> str:
        return get_stack_from_s3_url(self.properties["TemplateURL"], self.account_id, get_partition(self.region))

    def _parameters(self) -> dict[str, str]:
        """A list is given as one text."""
        parameters = self.properties.get("Parameters", {})
        return {key: ",".join(value) if isinstance(value, list) else str(value) for key, value in parameters.items()}

    def _insist(self, status: str, verb: str) -> None:
        if self.stack.status != status:
            raise ServiceException(f"Embedded stack {self.stack.stack_id} was not successfully {verb}: {self.stack.stack_status_reason}")
