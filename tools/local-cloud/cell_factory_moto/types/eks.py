"""Kubernetes clusters. moto has the API, but no CloudFormation types."""

from typing import Any

from moto.eks.models import eks_backends

from ..model import ApiModel, model, tag_dict

SERVICE = "eks"


class _Eks(ApiModel):
    service = SERVICE

    def update(self, old: dict[str, Any]) -> None:
        self.call(SERVICE, self.updates, **self.parameters(), **self.named())
        self.kept().tags = tag_dict(self.properties)

    def kept(self) -> Any:
        """The backend's own object: moto's TagResource does not find node groups."""
        return eks_backends[self.account_id][self.region].clusters[self.name]


@model
class Cluster(_Eks):
    type = "AWS::EKS::Cluster"
    name_property = "Name"
    replaced_by = ("RoleArn", "EncryptionConfig", "KubernetesNetworkConfig")
    attributes = (
        "Arn",
        "CertificateAuthorityData",
        "ClusterSecurityGroupId",
        "EncryptionConfigKeyArn",
        "Endpoint",
        "Id",
        "OpenIdConnectIssuerUrl",
    )
    creates, updates = "CreateCluster", "UpdateClusterConfig"

    def delete(self) -> None:
        self.call(SERVICE, "DeleteCluster", name=self.name)

    def attribute(self, name: str) -> str:
        cluster = self.call(SERVICE, "DescribeCluster", name=self.name)["cluster"]
        values = {
            "Arn": cluster["arn"],
            "Endpoint": cluster.get("endpoint"),
            "Id": self.name,
            "CertificateAuthorityData": cluster.get("certificateAuthority", {}).get("data"),
            "ClusterSecurityGroupId": cluster.get("resourcesVpcConfig", {}).get("clusterSecurityGroupId"),
            "OpenIdConnectIssuerUrl": cluster.get("identity", {}).get("oidc", {}).get("issuer"),
        }
        return values.get(name) or ""


@model
class Nodegroup(_Eks):
    type = "AWS::EKS::Nodegroup"
    name_property = "NodegroupName"
    replaced_by = ("AmiType", "CapacityType", "ClusterName", "DiskSize", "InstanceTypes", "NodeRole", "RemoteAccess", "Subnets")
    attributes = ("Arn", "ClusterName", "Id", "NodegroupName")
    creates, updates = "CreateNodegroup", "UpdateNodegroupConfig"

    def create(self) -> None:
        self.name = self.name[-63:].lstrip("-")
        super().create()
        self.physical_resource_id = f"{self.properties['ClusterName']}/{self.name}"

    def kept(self) -> Any:
        return eks_backends[self.account_id][self.region].clusters[self.properties["ClusterName"]].nodegroups[self.name]

    def delete(self) -> None:
        self.call(SERVICE, "DeleteNodegroup", clusterName=self.properties["ClusterName"], nodegroupName=self.name)

    def attribute(self, name: str) -> str:
        values = {"ClusterName": self.properties["ClusterName"], "Id": self.physical_resource_id, "NodegroupName": self.name}
        return values.get(name) or self.answer["nodegroup"]["nodegroupArn"]
