"""Secrets. moto has the API, but no CloudFormation types."""

import json
from typing import Any

from moto.rds.models import rds_backends

from ..model import Model, model, tag_list


@model
class Secret(Model):
    type = "AWS::SecretsManager::Secret"
    name_property = "Name"
    attributes = ("Id",)

    def create(self) -> None:
        value = self.properties.get("SecretString") or self._generated()
        wanted = {**self.properties, "Name": self.name, "Tags": tag_list(self.properties), **({"SecretString": value} if value else {})}
        wanted.pop("ReplicaRegions", None)
        self.physical_resource_id = self.call("secretsmanager", "CreateSecret", **wanted)["ARN"]

    def update(self, old: dict[str, Any]) -> None:
        """A new value is made only if what it is made from has changed."""
        changed = any(self.properties.get(key) != old.get(key) for key in ("SecretString", "GenerateSecretString"))
        value = self.properties.get("SecretString") or self._generated() if changed else None
        extra = {"SecretString": value} if value else {}
        described = {key: self.properties[key] for key in ("Description", "KmsKeyId") if key in self.properties}
        self.call("secretsmanager", "UpdateSecret", SecretId=self.physical_resource_id, **described, **extra)
        self.retag("secretsmanager", old, SecretId=self.physical_resource_id)

    def delete(self) -> None:
        self.call("secretsmanager", "DeleteSecret", SecretId=self.physical_resource_id, ForceDeleteWithoutRecovery=True)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id

    def _generated(self) -> str | None:
        """A password, alone or as one more key of the JSON template."""
        rule = self.properties.get("GenerateSecretString")
        if rule is None:
            return None
        password = self.call("secretsmanager", "GetRandomPassword", **{"PasswordLength": 32, **rule})["RandomPassword"]
        if "GenerateStringKey" not in rule:
            return password
        return json.dumps({**json.loads(rule.get("SecretStringTemplate", "{}")), rule["GenerateStringKey"]: password})


@model
class SecretTargetAttachment(Model):
    """Adds a database's address to its secret, as `DatabaseSecret.attach` of the CDK asks for."""

    type = "AWS::SecretsManager::SecretTargetAttachment"
    replaced_by = ("SecretId", "TargetId", "TargetType")

    def create(self) -> None:
        self.physical_resource_id = self.properties["SecretId"]
        if self.properties["TargetType"] != "AWS::RDS::DBInstance":
            return
        database = rds_backends[self.account_id][self.region].databases[self.properties["TargetId"]]
        value = json.loads(self.call("secretsmanager", "GetSecretValue", SecretId=self.physical_resource_id)["SecretString"])
        value |= {
            "engine": database.engine,
            "host": database.address,
            "port": database.port,
            "dbInstanceIdentifier": self.properties["TargetId"],
        }
        self.call("secretsmanager", "PutSecretValue", SecretId=self.physical_resource_id, SecretString=json.dumps(value))


@model
class ResourcePolicy(Model):
    type = "AWS::SecretsManager::ResourcePolicy"
    replaced_by = ("SecretId",)

    def create(self) -> None:
        self.physical_resource_id = self.properties["SecretId"]
        self.update({})

    def update(self, old: dict[str, Any]) -> None:
        self.call("secretsmanager", "PutResourcePolicy", **self.properties)

    def delete(self) -> None:
        self.call("secretsmanager", "DeleteResourcePolicy", SecretId=self.physical_resource_id)
