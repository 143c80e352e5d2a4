"""Containers. moto's models keep a task definition's containers only, and of a service only its count."""

from typing import Any

from moto.ecs.models import ecs_backends

from ..model import EXISTS, ApiModel, known, model

SERVICE = "ecs"


class _Ecs(ApiModel):
    service = SERVICE

    def update(self, old: dict[str, Any]) -> None:
        super().update(old)
        self.retag(SERVICE, old, resourceArn=self.arn)

    @property
    def arn(self) -> str:
        return self.physical_resource_id


@model
class Cluster(_Ecs):
    type = "AWS::ECS::Cluster"
    name_property = "ClusterName"
    attributes = ("Arn",)
    creates, updates, deletes, id_parameter = "CreateCluster", "UpdateCluster", "DeleteCluster", "cluster"

    def parameters(self) -> dict[str, Any]:
        parameters = super().parameters()
        if "ClusterSettings" in parameters:
            parameters["settings"] = parameters.pop("ClusterSettings")
        return parameters

    @property
    def arn(self) -> str:
        return self.answer["cluster"]["clusterArn"]

    def attribute(self, name: str) -> str:
        return self.arn

    def delete(self) -> None:
        """moto keeps a deleted cluster, which a new one of the same name then cannot replace."""
        super().delete()
        ecs_backends[self.account_id][self.region].clusters.pop(self.name, None)


@known(EXISTS, Cluster.type)
def cluster_exists(name: str, account_id: str, region: str) -> bool:
    return name in ecs_backends[account_id][region].clusters


@model
class TaskDefinition(_Ecs):
    """Every change but that of tags is a new revision; CloudFormation deregisters the old one."""

    type = "AWS::ECS::TaskDefinition"
    attributes = ("TaskDefinitionArn",)
    replaced_by = (
        "ContainerDefinitions",
        "Cpu",
        "EphemeralStorage",
        "ExecutionRoleArn",
        "Family",
        "Memory",
        "NetworkMode",
        "RequiresCompatibilities",
        "RuntimePlatform",
        "TaskRoleArn",
        "Volumes",
    )
    creates, deletes = "RegisterTaskDefinition", "DeregisterTaskDefinition"
    id_parameter, id_path = "taskDefinition", "taskDefinition.taskDefinitionArn"

    def named(self) -> dict[str, str]:
        return {} if "Family" in self.properties else {"family": self.name.replace("/", "-")}

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class Service(_Ecs):
    type = "AWS::ECS::Service"
    name_property = "ServiceName"
    replaced_by = ("Cluster", "LaunchType", "SchedulingStrategy")
    attributes = ("Name", "ServiceArn")
    creates, updates, deletes, id_parameter, id_path = "CreateService", "UpdateService", "DeleteService", "service", "service.serviceArn"

    def parameters(self) -> dict[str, Any]:
        """moto insists on security groups; AWS takes the VPC's default."""
        parameters = super().parameters()
        network = parameters.get("NetworkConfiguration", {}).get("AwsvpcConfiguration")
        if network is not None:
            network.setdefault("SecurityGroups", [])
        return parameters

    def delete(self) -> None:
        """moto keeps a deleted service, which a new one of the same name then cannot replace."""
        self.call(SERVICE, "DeleteService", cluster=self.properties.get("Cluster", "default"), service=self.name, force=True)
        cluster = self.physical_resource_id.split("/")[1]
        ecs_backends[self.account_id][self.region].services.pop(f"{cluster}:{self.name}", None)

    def attribute(self, name: str) -> str:
        return self.name if name == "Name" else self.physical_resource_id
