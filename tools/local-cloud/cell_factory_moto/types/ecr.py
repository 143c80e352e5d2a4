"""Repositories and the registry. moto's own repository type forgets its policies and encryption."""

import json
from typing import Any

from moto.ecr.models import ecr_backends

from ..model import EXISTS, Model, known, model, tag_list

SERVICE = "ecr"


@model
class Repository(Model):
    type = "AWS::ECR::Repository"
    name_property = "RepositoryName"
    replaced_by = ("EncryptionConfiguration",)
    attributes = ("Arn", "RepositoryUri")

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name.lower()
        settings = {key: self.properties[key] for key in ("EncryptionConfiguration",) if key in self.properties}
        answer = self.call(SERVICE, "CreateRepository", **settings, repositoryName=self.name, tags=tag_list(self.properties))
        self.repository = answer["repository"]
        self._settle({})

    def update(self, old: dict[str, Any]) -> None:
        self._settle(old)
        self.retag(SERVICE, old, resourceArn=self.repository["repositoryArn"])

    def delete(self) -> None:
        empties = str(self.properties.get("EmptyOnDelete", False)).lower() == "true"
        self.call(SERVICE, "DeleteRepository", repositoryName=self.name, force=empties)

    def attribute(self, name: str) -> str:
        return self.repository["repositoryArn" if name == "Arn" else "repositoryUri"]

    def _settle(self, old: dict[str, Any]) -> None:
        """What can be changed. What the template no longer has goes back to what it is without."""
        new, which = self.properties, {"repositoryName": self.name}
        scanning = new.get("ImageScanningConfiguration", {"ScanOnPush": False})
        mutability = new.get("ImageTagMutability", "MUTABLE")
        self.call(SERVICE, "PutImageScanningConfiguration", **which, imageScanningConfiguration=scanning)
        self.call(SERVICE, "PutImageTagMutability", **which, imageTagMutability=mutability)
        if "RepositoryPolicyText" in new:
            self.call(SERVICE, "SetRepositoryPolicy", **which, policyText=_text(new["RepositoryPolicyText"]))
        elif "RepositoryPolicyText" in old:
            self.call(SERVICE, "DeleteRepositoryPolicy", **which)
        lifecycle = new.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if lifecycle:
            self.call(SERVICE, "PutLifecyclePolicy", **which, lifecyclePolicyText=_text(lifecycle))
        elif "LifecyclePolicy" in old:
            self.call(SERVICE, "DeleteLifecyclePolicy", **which)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


@known(EXISTS, Repository.type)
def repository_exists(name: str, account_id: str, region: str) -> bool:
    return name in ecr_backends[account_id][region].repositories


class _OfRegistry(Model):
    """A setting of the account's registry in a region, of which there is one."""

    attributes = ("RegistryId",)

    def create(self) -> None:
        self.physical_resource_id = self.account_id
        self._put(self.properties)

    def update(self, old: dict[str, Any]) -> None:
        self._put(self.properties)

    def attribute(self, name: str) -> str:
        return self.account_id

    def _put(self, properties: dict[str, Any]) -> None:
        raise NotImplementedError


@model
class ReplicationConfiguration(_OfRegistry):
    """moto replicates nothing."""

    type = "AWS::ECR::ReplicationConfiguration"

    def delete(self) -> None:
        self._put({"ReplicationConfiguration": {"Rules": []}})

    def _put(self, properties: dict[str, Any]) -> None:
        self.call(SERVICE, "PutReplicationConfiguration", **properties)


@model
class RegistryPolicy(_OfRegistry):
    type = "AWS::ECR::RegistryPolicy"

    def delete(self) -> None:
        self.call(SERVICE, "DeleteRegistryPolicy")

    def _put(self, properties: dict[str, Any]) -> None:
        self.call(SERVICE, "PutRegistryPolicy", policyText=_text(properties["PolicyText"]))


@model
class RegistryScanningConfiguration(_OfRegistry):
    type = "AWS::ECR::RegistryScanningConfiguration"

    def delete(self) -> None:
        self._put({"ScanType": "BASIC", "Rules": []})

    def _put(self, properties: dict[str, Any]) -> None:
        self.call(SERVICE, "PutRegistryScanningConfiguration", **properties)


@model
class RepositoryCreationTemplate(Model):
    """moto has no such templates, and replicates nothing that one would be used for: it stands in its stack, called by its prefix."""

    type = "AWS::ECR::RepositoryCreationTemplate"
    name_property = "Prefix"
    replaced_by = ("Prefix",)
