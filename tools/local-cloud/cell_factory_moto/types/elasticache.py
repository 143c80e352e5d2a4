"""Caches. moto has the API, but no CloudFormation types."""

from typing import Any

from moto.elasticache.models import elasticache_backends

from ..model import Model, model, tag_list


class _Cache(Model):
    @property
    def backend(self) -> Any:
        return elasticache_backends[self.account_id][self.region]

    def tagged(self) -> dict[str, Any]:
        return {**self.properties, "Tags": tag_list(self.properties)}

    def retag(self, arn: str) -> None:
        service = self.backend.tagging_service
        service.untag_resource_using_names(arn, list(service.get_tag_dict_for_resource(arn)))
        service.tag_resource(arn, tag_list(self.properties))


@model
class ReplicationGroup(_Cache):
    type = "AWS::ElastiCache::ReplicationGroup"
    name_property = "ReplicationGroupId"
    replaced_by = ("CacheSubnetGroupName", "Port", "AtRestEncryptionEnabled", "KmsKeyId", "NumNodeGroups")
    attributes = tuple(f"{end}EndPoint.{part}" for end in ("Primary", "Reader", "Configuration") for part in ("Address", "Port")) + (
        "ReadEndPoint.Addresses",
        "ReadEndPoint.Ports",
    )

    def create(self) -> None:
        # An id has 40 characters at most, and is kept in lower case.
        self.name = self.physical_resource_id = (
            self.name.lower() if "ReplicationGroupId" in self.properties else self.name.lower()[-40:].lstrip("-")
        )
        self.group = self._made()

    def update(self, old: dict[str, Any]) -> None:
        """moto has no ModifyReplicationGroup: make it anew under the same id, with the same endpoints."""
        before = self.backend.replication_groups.pop(self.name)
        self.group = self._made()
        for node_group, previous in zip(self.group.node_groups, before.node_groups):
            node_group.update({key: value for key, value in previous.items() if "endpoint" in key})
        if hasattr(before, "configuration_endpoint"):
            self.group.configuration_endpoint = before.configuration_endpoint
        self.group.replication_group_create_time = before.replication_group_create_time
        self.retag(self.group.arn)

    def delete(self) -> None:
        self.backend.replication_groups.pop(self.name, None)

    def attribute(self, name: str) -> str:
        end, part = name.split(".")
        if end == "ConfigurationEndPoint":
            return str(getattr(self.group, "configuration_endpoint", {}).get(part.lower(), ""))
        if end == "ReadEndPoint":
            members = self.group.node_groups[0]["node_group_members"]
            return str([member.get("read_endpoint", {}).get("address" if part == "Addresses" else "port") for member in members])
        if part == "Port":
            return str(self.group.port)
        return self.group.node_groups[0].get("primary_endpoint_address" if end == "PrimaryEndPoint" else "reader_endpoint_address", "")

    def _made(self) -> Any:
        """moto ignores NumCacheClusters, and takes a group with shards for one without unless ClusterMode says so."""
        properties = {**self.tagged(), "ReplicationGroupId": self.name}
        clusters = int(properties.pop("NumCacheClusters", 0))
        if clusters and "ReplicasPerNodeGroup" not in properties:
            properties["ReplicasPerNodeGroup"] = clusters - 1
        sharded = int(properties.get("NumNodeGroups", 1)) > 1 or "cluster.on" in str(properties.get("CacheParameterGroupName"))
        if sharded and "ClusterMode" not in properties:
            properties["ClusterMode"] = "enabled"
        self.call("elasticache", "CreateReplicationGroup", **properties)
        return self.backend.replication_groups[self.name]


@model
class CacheCluster(_Cache):
    type = "AWS::ElastiCache::CacheCluster"
    name_property = "ClusterName"
    replaced_by = ("Engine", "CacheSubnetGroupName", "Port")
    attributes = ("RedisEndpoint.Address", "RedisEndpoint.Port", "ConfigurationEndpoint.Address", "ConfigurationEndpoint.Port")

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name.lower()[-50:].lstrip("-")
        self.call("elasticache", "CreateCacheCluster", **{**self.tagged(), "CacheClusterId": self.name})

    def update(self, old: dict[str, Any]) -> None:
        del self.backend.cache_clusters[self.name]
        self.create()

    def delete(self) -> None:
        self.backend.cache_clusters.pop(self.name, None)

    def attribute(self, name: str) -> str:
        port = self.properties.get("Port", 11211 if self.properties.get("Engine") == "memcached" else 6379)
        return str(port) if name.endswith("Port") else f"{self.name}.local.cache.amazonaws.com"


@model
class SubnetGroup(_Cache):
    type = "AWS::ElastiCache::SubnetGroup"
    name_property = "CacheSubnetGroupName"

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name.lower()
        self._put()

    def update(self, old: dict[str, Any]) -> None:
        """moto has no ModifyCacheSubnetGroup."""
        self.delete()
        self._put()

    def delete(self) -> None:
        self.backend.cache_subnet_groups.pop(self.name, None)

    def _put(self) -> None:
        description = self.properties["Description"]
        self.call(
            "elasticache",
            "CreateCacheSubnetGroup",
            **{**self.tagged(), "CacheSubnetGroupName": self.name, "CacheSubnetGroupDescription": description},
        )


@model
class ParameterGroup(_Cache):
    type = "AWS::ElastiCache::ParameterGroup"
    replaced_by = ("CacheParameterGroupFamily",)
    attributes = ("CacheParameterGroupName",)

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name.lower()
        self.answer = self.call("elasticache", "CreateCacheParameterGroup", **self.tagged(), CacheParameterGroupName=self.name)
        self._set("ModifyCacheParameterGroup", self.properties.get("Properties") or {})

    def update(self, old: dict[str, Any]) -> None:
        values = self.properties.get("Properties") or {}
        gone = {key: value for key, value in (old.get("Properties") or {}).items() if key not in values}
        self._set("ResetCacheParameterGroup", gone)
        self._set("ModifyCacheParameterGroup", values)
        self.retag(self.answer["CacheParameterGroup"]["ARN"])

    def delete(self) -> None:
        self.call("elasticache", "DeleteCacheParameterGroup", CacheParameterGroupName=self.name)

    def attribute(self, name: str) -> str:
        return self.name

    def _set(self, operation: str, values: dict[str, Any]) -> None:
        pairs = [{"ParameterName": key, "ParameterValue": value} for key, value in values.items()]
        if pairs:
            self.call("elasticache", operation, CacheParameterGroupName=self.name, ParameterNameValues=pairs)
