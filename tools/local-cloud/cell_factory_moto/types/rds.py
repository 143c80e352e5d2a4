"""Databases. moto's models drop properties (managed passwords, deletion protection) and cannot be updated."""

import json
from typing import Any

from moto.rds.models import rds_backends

from ..model import ApiModel, model, tag_list

SERVICE = "rds"


class _Rds(ApiModel):
    service = SERVICE
    kind: str

    def create(self) -> None:
        self.name = self.physical_resource_id = _identifier(self.name)
        super().create()

    def update(self, old: dict[str, Any]) -> None:
        """Only what has changed: moto makes a new managed password whenever it is told to manage it."""
        changed = {key: value for key, value in self.parameters().items() if value != old.get(key)}
        self.call(SERVICE, self.updates, **{**changed, self.id_parameter: self.name})
        self.retag(SERVICE, old, "RemoveTagsFromResource", "AddTagsToResource", ResourceName=self.arn)

    @property
    def backend(self) -> Any:
        return rds_backends[self.account_id][self.region]

    @property
    def arn(self) -> str:
        return f"arn:{self.backend.partition}:rds:{self.region}:{self.account_id}:{self.kind}:{self.name}"


def _identifier(name: str) -> str:
    """Lower case, letters, digits and single hyphens, starting with a letter, 63 at most."""
    short = name.lower().replace("_", "-")[-63:]
    return short.lstrip("-0123456789") if name.lower() != short else short


@model
class DatabaseInstance(_Rds):
    type = "AWS::RDS::DBInstance"
    name_property = "DBInstanceIdentifier"
    kind = "db"
    replaced_by = ("DBName", "DBSubnetGroupName", "KmsKeyId", "MasterUsername", "StorageEncrypted", "Engine", "AvailabilityZone")
    attributes = (
        "Endpoint.Address",
        "Endpoint.Port",
        "Endpoint.HostedZoneId",
        "MasterUserSecret.SecretArn",
        "MasterUserSecret.KmsKeyId",
        "DBInstanceArn",
        "DbiResourceId",
    )
    creates, updates, deletes, id_parameter = "CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance", "DBInstanceIdentifier"

    def parameters(self) -> dict[str, Any]:
        """CloudFormation calls some parameters otherwise than the API."""
        parameters = super().parameters()
        if "VPCSecurityGroups" in parameters:
            parameters["VpcSecurityGroupIds"] = parameters.pop("VPCSecurityGroups")
        if "MasterUserSecret" in parameters:
            parameters["MasterUserSecretKmsKeyId"] = parameters.pop("MasterUserSecret").get("KmsKeyId")
        return {**parameters, "ApplyImmediately": True}

    def create(self) -> None:
        super().create()
        self._name_user()
        self._complete()

    def mark(self, tags: dict[str, str]) -> None:
        self.backend.databases[self.name].tags += tag_list({"Tags": tags})

    def update(self, old: dict[str, Any]) -> None:
        super().update(old)
        self._complete()

    def _complete(self) -> None:
        """moto does not know Performance Insights, exports no logs, and does not change the key of a managed password."""
        for log in self.properties.get("EnableCloudwatchLogsExports", []):
            self.leave_log_group(f"/aws/rds/instance/{self.name}/{log}")
        database = self.backend.databases[self.name]
        secret_key = self.properties.get("MasterUserSecret", {}).get("KmsKeyId")
        if secret_key and hasattr(database, "master_user_secret"):
            database.master_user_secret.secret.kms_key_id = secret_key
        database.performance_insights_enabled = str(self.properties.get("EnablePerformanceInsights", False)).lower() == "true"
        database.performance_insights_kms_key_id = self.properties.get("PerformanceInsightsKMSKeyId")
        database.performance_insights_retention_period = self.properties.get("PerformanceInsightsRetentionPeriod")

    def _name_user(self) -> None:
        """moto's managed secret has the user `admin`, whoever the database's user is."""
        secret = getattr(self.backend.databases[self.name], "master_user_secret", None)
        if secret:
            value = json.loads(self.call("secretsmanager", "GetSecretValue", SecretId=secret.secret_arn)["SecretString"])
            value["username"] = self.properties.get("MasterUsername", value["username"])
            self.call("secretsmanager", "PutSecretValue", SecretId=secret.secret_arn, SecretString=json.dumps(value))

    def delete(self) -> None:
        self.call(SERVICE, "DeleteDBInstance", DBInstanceIdentifier=self.name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def attribute(self, name: str) -> str:
        described = self.call(SERVICE, "DescribeDBInstances", DBInstanceIdentifier=self.name)["DBInstances"][0]
        for part in name.split("."):
            described = described.get(part, "")
        return str(described)


@model
class DatabaseCluster(_Rds):
    type = "AWS::RDS::DBCluster"
    name_property = "DBClusterIdentifier"
    kind = "cluster"
    replaced_by = ("DatabaseName", "DBSubnetGroupName", "KmsKeyId", "MasterUsername", "StorageEncrypted", "Engine", "EngineMode")
    attributes = (
        "Endpoint.Address",
        "Endpoint.Port",
        "ReadEndpoint.Address",
        "MasterUserSecret.SecretArn",
        "MasterUserSecret.KmsKeyId",
        "DBClusterArn",
        "DBClusterResourceId",
    )
    creates, updates, deletes, id_parameter = "CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster", "DBClusterIdentifier"

    def delete(self) -> None:
        self.call(SERVICE, "DeleteDBCluster", DBClusterIdentifier=self.name, SkipFinalSnapshot=True)

    def attribute(self, name: str) -> str:
        described = self.call(SERVICE, "DescribeDBClusters", DBClusterIdentifier=self.name)["DBClusters"][0]
        key = {
            "Endpoint.Address": "Endpoint",
            "Endpoint.Port": "Port",
            "ReadEndpoint.Address": "ReaderEndpoint",
            "DBClusterResourceId": "DbClusterResourceId",
        }
        for part in key.get(name, name).split("."):
            described = described.get(part, "")
        return str(described)


@model
class SubnetGroup(_Rds):
    type = "AWS::RDS::DBSubnetGroup"
    name_property = "DBSubnetGroupName"
    kind = "subgrp"
    creates, updates, deletes, id_parameter = "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup", "DBSubnetGroupName"

    def update(self, old: dict[str, Any]) -> None:
        """moto forgets a subnet group when it modifies it."""
        group = self.backend.subnet_groups[self.name]
        self.call(SERVICE, self.updates, **{**self.parameters(), self.id_parameter: self.name})
        self.backend.subnet_groups[self.name] = group
        self.retag(SERVICE, old, "RemoveTagsFromResource", "AddTagsToResource", ResourceName=self.arn)


class _ParameterGroup(_Rds):
    replaced_by = ("Family", "Description")

    def parameters(self) -> dict[str, Any]:
        """The values are set by a second call."""
        family = {"DBParameterGroupFamily": self.properties["Family"]}
        return {**{key: value for key, value in super().parameters().items() if key != "Parameters"}, **family}

    def create(self) -> None:
        super().create()
        self.update({})

    def update(self, old: dict[str, Any]) -> None:
        values = [
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "immediate"}
            for key, value in self.properties.get("Parameters", {}).items()
        ]
        if values:
            self.call(SERVICE, self.updates, **{self.id_parameter: self.name, "Parameters": values})


@model
class ParameterGroup(_ParameterGroup):
    type = "AWS::RDS::DBParameterGroup"
    name_property = "DBParameterGroupName"
    kind = "pg"
    attributes = ("DBParameterGroupName",)
    creates, updates, deletes, id_parameter = (
        "CreateDBParameterGroup",
        "ModifyDBParameterGroup",
        "DeleteDBParameterGroup",
        "DBParameterGroupName",
    )

    def attribute(self, name: str) -> str:
        return self.name


@model
class ClusterParameterGroup(_ParameterGroup):
    type = "AWS::RDS::DBClusterParameterGroup"
    name_property = "DBClusterParameterGroupName"
    kind = "cluster-pg"
    creates, updates, deletes = "CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "DeleteDBClusterParameterGroup"
    id_parameter = "DBClusterParameterGroupName"
