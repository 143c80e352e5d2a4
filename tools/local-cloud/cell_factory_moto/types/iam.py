"""Identities. moto's models ignore most changes of a role, and cannot delete managed policies."""

from typing import Any

from ..model import ApiModel, Model, model, tag_list

SERVICE = "iam"


def _names(properties: dict[str, Any], key: str) -> set[str]:
    return set(properties.get(key) or [])


def _inline(properties: dict[str, Any]) -> dict[str, Any]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies") or []}


@model
class Role(Model):
    type = "AWS::IAM::Role"
    name_property = "RoleName"
    replaced_by = ("Path",)
    attributes = ("Arn", "RoleId")

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name if "RoleName" in self.properties else _short(self.name)
        role = {**self.properties, "RoleName": self.name, "Tags": tag_list(self.properties)}
        self.answer = self.call(SERVICE, "CreateRole", **role)["Role"]
        self._attach({})

    def update(self, old: dict[str, Any]) -> None:
        self.call(SERVICE, "UpdateAssumeRolePolicy", RoleName=self.name, PolicyDocument=self.properties["AssumeRolePolicyDocument"])
        duration = self.properties.get("MaxSessionDuration", 3600)
        self.call(
            SERVICE, "UpdateRole", RoleName=self.name, Description=self.properties.get("Description", ""), MaxSessionDuration=duration
        )
        self._bound(old)
        self._attach(old)
        self.retag(SERVICE, old, "UntagRole", "TagRole", RoleName=self.name)

    def delete(self) -> None:
        old, self.properties = self.properties, {}
        self._attach(old)
        self.call(SERVICE, "DeleteRole", RoleName=self.name)

    def attribute(self, name: str) -> str:
        return self.answer[name]

    def _bound(self, old: dict[str, Any]) -> None:
        boundary = self.properties.get("PermissionsBoundary")
        if boundary:
            self.call(SERVICE, "PutRolePermissionsBoundary", RoleName=self.name, PermissionsBoundary=boundary)
        elif old.get("PermissionsBoundary"):
            self.call(SERVICE, "DeleteRolePermissionsBoundary", RoleName=self.name)

    def _attach(self, old: dict[str, Any]) -> None:
        """Managed and inline policies: from those of `old` to those of now."""
        before, after = _names(old, "ManagedPolicyArns"), _names(self.properties, "ManagedPolicyArns")
        for arn in sorted(before - after):
            self.call(SERVICE, "DetachRolePolicy", RoleName=self.name, PolicyArn=arn)
        for arn in sorted(after - before):
            self.call(SERVICE, "AttachRolePolicy", RoleName=self.name, PolicyArn=arn)
        policies = _inline(self.properties)
        for name in _inline(old).keys() - policies.keys():
            self.call(SERVICE, "DeleteRolePolicy", RoleName=self.name, PolicyName=name)
        for name, document in policies.items():
            self.call(SERVICE, "PutRolePolicy", RoleName=self.name, PolicyName=name, PolicyDocument=document)


def _short(name: str) -> str:
    """A made-up name of 64 characters at most: the end of it is what makes it unique."""
    return name if len(name) <= 64 else f"{name[:51].rstrip('-')}{name[-13:]}"


# Property of a policy: (the API's name for one of them, what its calls are called after).
HOLDERS = {"Roles": "Role", "Users": "User", "Groups": "Group"}


@model
class Policy(Model):
    """An inline policy of roles, users and groups."""

    type = "AWS::IAM::Policy"
    attributes = ("Id",)

    def create(self) -> None:
        self._put({})

    def update(self, old: dict[str, Any]) -> None:
        self._put(old)

    def delete(self) -> None:
        old, self.properties = self.properties, {}
        self._put(old)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id

    def _put(self, old: dict[str, Any]) -> None:
        renamed = old.get("PolicyName") != self.properties.get("PolicyName")
        for key, holder in HOLDERS.items():
            before, after = _names(old, key), _names(self.properties, key)
            for name in sorted(before if renamed else before - after):
                self.call(SERVICE, f"Delete{holder}Policy", **{f"{holder}Name": name, "PolicyName": old["PolicyName"]})
            for name in sorted(after):
                self.call(SERVICE, f"Put{holder}Policy", **{f"{holder}Name": name, **self.properties})


@model
class ManagedPolicy(Model):
    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    replaced_by = ("Path", "Description")
    attributes = ("PolicyArn", "PolicyId", "DefaultVersionId")

    def create(self) -> None:
        policy = {**self.properties, "PolicyName": self.name, "Tags": tag_list(self.properties)}
        self.answer = self.call(SERVICE, "CreatePolicy", **policy)["Policy"]
        self.physical_resource_id = self.answer["Arn"]
        self._attach({})

    def update(self, old: dict[str, Any]) -> None:
        if self.properties["PolicyDocument"] != old.get("PolicyDocument"):
            self._drop_versions()
            document = self.properties["PolicyDocument"]
            self.call(SERVICE, "CreatePolicyVersion", PolicyArn=self.physical_resource_id, PolicyDocument=document, SetAsDefault=True)
        self._attach(old)

    def delete(self) -> None:
        old, self.properties = self.properties, {}
        self._attach(old)
        self._drop_versions()
        self.call(SERVICE, "DeletePolicy", PolicyArn=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id if name == "PolicyArn" else self.answer[name]

    def _attach(self, old: dict[str, Any]) -> None:
        for key, holder in HOLDERS.items():
            before, after = _names(old, key), _names(self.properties, key)
            for name in sorted(before - after):
                self.call(SERVICE, f"Detach{holder}Policy", **{f"{holder}Name": name, "PolicyArn": self.physical_resource_id})
            for name in sorted(after - before):
                self.call(SERVICE, f"Attach{holder}Policy", **{f"{holder}Name": name, "PolicyArn": self.physical_resource_id})

    def _drop_versions(self) -> None:
        """Removes what is not in force: a policy has five versions at most."""
        for version in self.call(SERVICE, "ListPolicyVersions", PolicyArn=self.physical_resource_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.call(SERVICE, "DeletePolicyVersion", PolicyArn=self.physical_resource_id, VersionId=version["VersionId"])


@model
class InstanceProfile(Model):
    type = "AWS::IAM::InstanceProfile"
    name_property = "InstanceProfileName"
    replaced_by = ("Path",)
    attributes = ("Arn",)

    def create(self) -> None:
        self.answer = self.call(SERVICE, "CreateInstanceProfile", **{**self.properties, "InstanceProfileName": self.name})[
            "InstanceProfile"
        ]
        self._fill({})

    def update(self, old: dict[str, Any]) -> None:
        self._fill(old)

    def delete(self) -> None:
        old, self.properties = self.properties, {}
        self._fill(old)
        self.call(SERVICE, "DeleteInstanceProfile", InstanceProfileName=self.name)

    def attribute(self, name: str) -> str:
        return self.answer["Arn"]

    def _fill(self, old: dict[str, Any]) -> None:
        before, after = _names(old, "Roles"), _names(self.properties, "Roles")
        for name in sorted(before - after):
            self.call(SERVICE, "RemoveRoleFromInstanceProfile", InstanceProfileName=self.name, RoleName=name)
        for name in sorted(after - before):
            self.call(SERVICE, "AddRoleToInstanceProfile", InstanceProfileName=self.name, RoleName=name)


@model
class OidcProvider(ApiModel):
    type = "AWS::IAM::OIDCProvider"
    replaced_by = ("Url",)
    attributes = ("Arn",)
    service, creates, deletes = SERVICE, "CreateOpenIDConnectProvider", "DeleteOpenIDConnectProvider"
    id_parameter, id_path = "OpenIDConnectProviderArn", "OpenIDConnectProviderArn"

    def parameters(self) -> dict[str, Any]:
        """AWS needs no thumbprint any more; moto's API does."""
        parameters = super().parameters()
        return {
            **parameters,
            "ClientIDList": parameters.get("ClientIdList", []),
            "ThumbprintList": parameters.get("ThumbprintList") or ["0" * 40],
        }

    def update(self, old: dict[str, Any]) -> None:
        thumbprints = self.parameters()["ThumbprintList"]
        self.call(
            SERVICE, "UpdateOpenIDConnectProviderThumbprint", OpenIDConnectProviderArn=self.physical_resource_id, ThumbprintList=thumbprints
        )

    def attribute(self, name: str) -> str:
        return self.physical_resource_id
