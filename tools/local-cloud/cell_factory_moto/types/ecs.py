"""Containers. moto's models keep a task definition's containers only, and of a service only its count."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecs.models import ecs_backends

from ..ecr import missing_image
from ..model import EXISTS, ApiModel, known, model

SERVICE = "ecs"

START_SECONDS = 45
"""What a task is taken to need until it answers: an image is pulled, and a runtime starts. No container runs here."""

# What a target group has that doesn't say ("HealthCheckIntervalSeconds", "UnhealthyThresholdCount", CreateTargetGroup, Elastic Load
# Balancing API Reference, 2026-11-30).
INTERVAL_SECONDS, UNHEALTHY_COUNT = 30, 2


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

    def create(self) -> None:
        """Container Insights writes as soon as there is a cluster."""
        super().create()
        settings = {setting.get("Name"): setting.get("Value") for setting in self.properties.get("ClusterSettings", [])}
        if settings.get("containerInsights") in ("enabled", "enhanced"):
            self.leave_log_group(f"/aws/ecs/containerinsights/{self.name}/performance")

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

    def create(self) -> None:
        self._find_images()
        self._survive_start()
        super().create()

    def update(self, old: dict[str, Any]) -> None:
        self._find_images()
        self._survive_start()
        super().update(old)

    def _find_images(self) -> None:
        """A task whose image isn't there never starts."""
        definition = self.properties.get("TaskDefinition")
        if not definition:
            return
        described = self.call(SERVICE, "DescribeTaskDefinition", taskDefinition=definition)["taskDefinition"]
        for container in described["containerDefinitions"]:
            missing = missing_image(container.get("image", ""))
            if missing:
                raise ServiceException(f"ECS Deployment Circuit Breaker was triggered: CannotPullContainerError: {missing}: not found")

    def _survive_start(self) -> None:
        """ECS ends a task that its load balancer finds unhealthy, once the grace period is over, which is 0 unless the service says
        otherwise ("healthCheckGracePeriodSeconds", CreateService, Amazon ECS API Reference, 2026-11-30). A task that needs longer to
        start than that is ended and begun again, until the circuit breaker gives up, or without it for three hours."""
        grace = int(self.properties.get("HealthCheckGracePeriodSeconds", 0))
        for balancer in self.properties.get("LoadBalancers", []):
            group = balancer.get("TargetGroupArn")
            if not group:
                continue
            found = self.call("elbv2", "DescribeTargetGroups", TargetGroupArns=[group])["TargetGroups"][0]
            interval = int(found.get("HealthCheckIntervalSeconds") or INTERVAL_SECONDS)
            count = int(found.get("UnhealthyThresholdCount") or UNHEALTHY_COUNT)
            if grace + interval * count < START_SECONDS:
                raise ServiceException(
                    f"ECS Deployment Circuit Breaker was triggered: tasks failed Elastic Load Balancing health checks in ({group}); they "
                    f"have {grace + interval * count} seconds to answer, and need {START_SECONDS}"
                )

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
