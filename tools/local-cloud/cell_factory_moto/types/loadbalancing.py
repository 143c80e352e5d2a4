"""Load balancers. moto's models drop attributes and tags, and cannot delete target groups and listeners."""

from typing import Any

from ..model import ApiModel, model

SERVICE = "elbv2"


class _Balancing(ApiModel):
    service = SERVICE
    name_property = "Name"
    attribute_call: str

    def create(self) -> None:
        self.name = self.name[:32].rstrip("-")
        super().create()
        self.set_attributes()

    def update(self, old: dict[str, Any]) -> None:
        super().update(old)
        self.set_attributes()
        self.retag(SERVICE, old, "RemoveTags", "AddTags", ResourceArns=[self.physical_resource_id])

    def set_attributes(self) -> None:
        attributes = self.properties.get(f"{self.type.split('::')[-1]}Attributes")
        if attributes:
            self.call(SERVICE, self.attribute_call, **{self.id_parameter: self.physical_resource_id, "Attributes": attributes})

    @property
    def full_name(self) -> str:
        return self.physical_resource_id.split(":", 5)[5]


@model
class LoadBalancer(_Balancing):
    type = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    replaced_by = ("Scheme", "Type")
    attributes = ("CanonicalHostedZoneID", "DNSName", "LoadBalancerArn", "LoadBalancerFullName", "LoadBalancerName", "SecurityGroups")
    creates, deletes, id_parameter, id_path = (
        "CreateLoadBalancer",
        "DeleteLoadBalancer",
        "LoadBalancerArn",
        "LoadBalancers.0.LoadBalancerArn",
    )
    attribute_call = "ModifyLoadBalancerAttributes"

    def update(self, old: dict[str, Any]) -> None:
        super().update(old)
        for name, operation in (("SecurityGroups", "SetSecurityGroups"), ("Subnets", "SetSubnets"), ("IpAddressType", "SetIpAddressType")):
            if name in self.properties and self.properties[name] != old.get(name):
                self.call(SERVICE, operation, LoadBalancerArn=self.physical_resource_id, **{name: self.properties[name]})

    def attribute(self, name: str) -> Any:
        if name == "LoadBalancerFullName":
            return self.full_name.removeprefix("loadbalancer/")
        key = "CanonicalHostedZoneId" if name == "CanonicalHostedZoneID" else name
        return self.answer["LoadBalancers"][0].get(key, [])


@model
class TargetGroup(_Balancing):
    type = "AWS::ElasticLoadBalancingV2::TargetGroup"
    replaced_by = ("Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId", "IpAddressType")
    attributes = ("LoadBalancerArns", "TargetGroupArn", "TargetGroupFullName", "TargetGroupName")
    creates, updates, deletes = "CreateTargetGroup", "ModifyTargetGroup", "DeleteTargetGroup"
    id_parameter, id_path = "TargetGroupArn", "TargetGroups.0.TargetGroupArn"
    attribute_call = "ModifyTargetGroupAttributes"

    def create(self) -> None:
        super().create()
        if self.properties.get("Targets"):
            self.call(SERVICE, "RegisterTargets", TargetGroupArn=self.physical_resource_id, Targets=self.properties["Targets"])

    def attribute(self, name: str) -> Any:
        if name == "LoadBalancerArns":
            return self.call(SERVICE, "DescribeTargetGroups", TargetGroupArns=[self.physical_resource_id])["TargetGroups"][0][
                "LoadBalancerArns"
            ]
        return {"TargetGroupArn": self.physical_resource_id, "TargetGroupName": self.name, "TargetGroupFullName": self.full_name}[name]


@model
class Listener(ApiModel):
    type = "AWS::ElasticLoadBalancingV2::Listener"
    replaced_by = ("LoadBalancerArn",)
    attributes = ("ListenerArn",)
    service, creates, updates, deletes = SERVICE, "CreateListener", "ModifyListener", "DeleteListener"
    id_parameter, id_path = "ListenerArn", "Listeners.0.ListenerArn"

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class ListenerRule(ApiModel):
    type = "AWS::ElasticLoadBalancingV2::ListenerRule"
    replaced_by = ("ListenerArn",)
    attributes = ("RuleArn", "IsDefault")
    service, creates, updates, deletes = SERVICE, "CreateRule", "ModifyRule", "DeleteRule"
    id_parameter, id_path = "RuleArn", "Rules.0.RuleArn"

    def attribute(self, name: str) -> Any:
        return self.physical_resource_id if name == "RuleArn" else False
