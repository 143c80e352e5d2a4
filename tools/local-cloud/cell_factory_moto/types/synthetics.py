"""Canaries. moto has half of the API and no CloudFormation type. It runs none: a test puts the metrics that it needs."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.synthetics.models import synthetics_backends

from ..interfaces import join, leave
from ..model import EXISTS, Model, known, model, tag_dict
from ..permissions import allows

# What CloudFormation calls otherwise than the API.
RENAMED = {"SuccessRetentionPeriod": "SuccessRetentionPeriodInDays", "FailureRetentionPeriod": "FailureRetentionPeriodInDays"}


@model
class Canary(Model):
    type = "AWS::Synthetics::Canary"
    name_property = "Name"
    attributes = ("Id", "State")

    def create(self) -> None:
        if "Name" not in self.properties:
            raise ServiceException("Model validation failed (#: required key [Name] not found)")
        self.call("synthetics", "CreateCanary", **self._settings())
        self._run()
        role, network = self.properties["ExecutionRoleArn"], self.properties.get("VPCConfig", {})
        if network:
            join(self.account_id, self.region, self.function, role, network.get("SubnetIds", []), network.get("SecurityGroupIds", []))
        if self.kept.state == "RUNNING" and allows(role, "logs:CreateLogGroup"):
            self.leave_log_group(f"/aws/lambda/{self.function}")

    @property
    def function(self) -> str:
        """Name of the canary's function ("DeleteCanary", Amazon CloudWatch Synthetics API Reference, read 2026-11-30)."""
        return f"cwsyn-{self.name[:21]}-{self.kept.id}"

    def update(self, old: dict[str, Any]) -> None:
        """moto has no UpdateCanary: make it anew, as the same one."""
        before = self.kept
        self.call("synthetics", "CreateCanary", **self._settings())
        self.kept.id = before.id
        self.kept.timeline["Created"] = before.timeline["Created"]
        self._run()

    def delete(self) -> None:
        """moto has no DeleteCanary."""
        leave(self.account_id, self.region, self.function)
        synthetics_backends[self.account_id][self.region].canaries.pop(self.name, None)

    def attribute(self, name: str) -> str:
        return self.kept.id if name == "Id" else self.kept.state

    @property
    def kept(self) -> Any:
        return synthetics_backends[self.account_id][self.region].canaries[self.name]

    def _settings(self) -> dict[str, Any]:
        settings = {RENAMED.get(key, key): value for key, value in self.properties.items()}
        return {**settings, "Tags": tag_dict(self.properties)}

    def _run(self) -> None:
        if str(self.properties.get("StartCanaryAfterCreation", False)).lower() == "true":
            self.kept.state = "RUNNING"


@known(EXISTS, Canary.type)
def canary_exists(name: str, account_id: str, region: str) -> bool:
    return name in synthetics_backends[account_id][region].canaries
