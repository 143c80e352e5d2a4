"""Types that moto can create but not delete, or not properly."""

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.route53.models import route53_backends
from moto.utilities.utils import get_partition

from ..model import DELETES, Model, known, model


@model
class Permission(Model):
    """moto's own has no id and stays when it is deleted."""

    type = "AWS::Lambda::Permission"
    replaced_by = (
        "Action",
        "EventSourceToken",
        "FunctionName",
        "FunctionUrlAuthType",
        "Principal",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    )
    attributes = ("Id",)

    def create(self) -> None:
        self.call("lambda", "AddPermission", **self.properties, StatementId=self.name)

    def delete(self) -> None:
        self.call("lambda", "RemovePermission", FunctionName=self.properties["FunctionName"], StatementId=self.name)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@known(DELETES, "AWS::Lambda::Version")
def delete_version(version: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    """A version goes with its function."""


@known(DELETES, "AWS::Lambda::LayerVersion")
def delete_layer(layer: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    lambda_backends[account_id][region].delete_layer_version(layer.name, layer.version)


@known(DELETES, "AWS::Route53::HealthCheck")
def delete_health_check(check: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    route53_backends[account_id][get_partition(region)].health_checks.pop(check.id, None)
