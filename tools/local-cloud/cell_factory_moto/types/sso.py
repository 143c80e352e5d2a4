"""IAM Identity Center. moto has the API, but no CloudFormation types."""

from typing import Any

from ..model import ApiModel, Model, model

SERVICE = "sso-admin"


@model
class PermissionSet(ApiModel):
    type = "AWS::SSO::PermissionSet"
    replaced_by = ("InstanceArn", "Name")
    attributes = ("PermissionSetArn",)
    service, creates, updates, deletes, id_parameter = (
        SERVICE,
        "CreatePermissionSet",
        "UpdatePermissionSet",
        "DeletePermissionSet",
        "PermissionSetArn",
    )

    def create(self) -> None:
        super().create()
        self.arn = self.answer["PermissionSet"]["PermissionSetArn"]
        self.physical_resource_id = f"{self.properties['InstanceArn']}|{self.arn}"
        self._policies({})

    def update(self, old: dict[str, Any]) -> None:
        self.call(SERVICE, "UpdatePermissionSet", **self.parameters(), PermissionSetArn=self.arn)
        self._policies(old)

    def delete(self) -> None:
        self.call(SERVICE, "DeletePermissionSet", **self._which())

    def parameters(self) -> dict[str, Any]:
        parameters = super().parameters()
        return {**parameters, "RelayState": parameters["RelayStateType"]} if "RelayStateType" in parameters else parameters

    def attribute(self, name: str) -> str:
        return self.arn

    def _which(self) -> dict[str, str]:
        return {"InstanceArn": self.properties["InstanceArn"], "PermissionSetArn": self.arn}

    def _policies(self, old: dict[str, Any]) -> None:
        before, after = set(old.get("ManagedPolicies", [])), set(self.properties.get("ManagedPolicies", []))
        for arn in sorted(before - after):
            self.call(SERVICE, "DetachManagedPolicyFromPermissionSet", **self._which(), ManagedPolicyArn=arn)
        for arn in sorted(after - before):
            self.call(SERVICE, "AttachManagedPolicyToPermissionSet", **self._which(), ManagedPolicyArn=arn)
        self._customer_policies(old)
        inline = self.properties.get("InlinePolicy")
        if inline:
            self.call(SERVICE, "PutInlinePolicyToPermissionSet", **self._which(), InlinePolicy=inline)
        elif old.get("InlinePolicy"):
            self.call(SERVICE, "DeleteInlinePolicyFromPermissionSet", **self._which())

    def _customer_policies(self, old: dict[str, Any]) -> None:
        before, after = old.get("CustomerManagedPolicyReferences", []), self.properties.get("CustomerManagedPolicyReferences", [])
        for reference in [each for each in before if each not in after]:
            operation = "DetachCustomerManagedPolicyReferenceFromPermissionSet"
            self.call(SERVICE, operation, **self._which(), CustomerManagedPolicyReference=reference)
        for reference in [each for each in after if each not in before]:
            self.call(
                SERVICE, "AttachCustomerManagedPolicyReferenceToPermissionSet", **self._which(), CustomerManagedPolicyReference=reference
            )


@model
class Assignment(Model):
    type = "AWS::SSO::Assignment"
    replaced_by = ("InstanceArn", "PermissionSetArn", "PrincipalId", "PrincipalType", "TargetId", "TargetType")

    def create(self) -> None:
        self.call(SERVICE, "CreateAccountAssignment", **self.properties)
        self.physical_resource_id = "|".join(str(self.properties[key]) for key in self.replaced_by)

    def delete(self) -> None:
        self.call(SERVICE, "DeleteAccountAssignment", **self.properties)
