"""Application Auto Scaling. moto has the API, but no CloudFormation types."""

from typing import Any

from ..model import Model, model

SERVICE = "application-autoscaling"
KEYS = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@model
class ScalableTarget(Model):
    type = "AWS::ApplicationAutoScaling::ScalableTarget"
    replaced_by = KEYS
    attributes = ("Id",)

    def create(self) -> None:
        self.call(SERVICE, "RegisterScalableTarget", **self.properties)
        self.physical_resource_id = "|".join(self.properties[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace"))

    def update(self, old: dict[str, Any]) -> None:
        self.call(SERVICE, "RegisterScalableTarget", **self.properties)

    def delete(self) -> None:
        self.call(SERVICE, "DeregisterScalableTarget", **{key: self.properties[key] for key in KEYS})

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class ScalingPolicy(Model):
    type = "AWS::ApplicationAutoScaling::ScalingPolicy"
    name_property = "PolicyName"
    replaced_by = (*KEYS, "ScalingTargetId")
    attributes = ("Arn",)

    def create(self) -> None:
        self.physical_resource_id = self._put()["PolicyARN"]

    def update(self, old: dict[str, Any]) -> None:
        self._put()

    def delete(self) -> None:
        self.call(SERVICE, "DeleteScalingPolicy", PolicyName=self.name, **self._target())

    def attribute(self, name: str) -> str:
        return self.physical_resource_id

    def _target(self) -> dict[str, str]:
        """The target is given by its id or by the id's parts."""
        if "ScalingTargetId" not in self.properties:
            return {key: self.properties[key] for key in KEYS}
        resource_id, dimension, namespace = self.properties["ScalingTargetId"].split("|")
        return {"ServiceNamespace": namespace, "ResourceId": resource_id, "ScalableDimension": dimension}

    def _put(self) -> dict[str, Any]:
        kind = self.properties["PolicyType"]
        settings = f"{kind}PolicyConfiguration"
        configuration = {settings: self.properties[settings]} if settings in self.properties else {}
        return self.call(SERVICE, "PutScalingPolicy", PolicyName=self.name, PolicyType=kind, **self._target(), **configuration)
