"""Security groups and their rules."""

from typing import Any

from ..model import Model, model


def _permission(rule: dict[str, Any], peer: str) -> dict[str, Any]:
    """A CloudFormation rule as the API's IpPermission; `peer` is Source or Destination."""
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    permission: dict[str, Any] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    prefix_list = rule.get(f"{peer}PrefixListId")
    if prefix_list:
        permission["PrefixListIds"] = [{"PrefixListId": prefix_list, **described}]
    group = rule.get(f"{peer}SecurityGroupId")
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    return permission


class _Rules(Model):
    def rules(self, operation: str, group_id: str, rules: list[dict[str, Any]], peer: str) -> Any:
        if rules:
            return self.call("ec2", operation, GroupId=group_id, IpPermissions=[_permission(rule, peer) for rule in rules])
        return None


@model
class SecurityGroup(_Rules):
    """moto ignores egress rules, fails on rules for all ports, and gives a changed group a new id."""

    type = "AWS::EC2::SecurityGroup"
    name_property = "GroupName"
    replaced_by = ("GroupDescription", "VpcId")
    attributes = ("GroupId", "Id", "VpcId")
    ec2_tags = True

    def create(self) -> None:
        answer = self.call(
            "ec2",
            "CreateSecurityGroup",
            **{**self.properties, "GroupName": self.name, "Description": self.properties["GroupDescription"], "Tags": []},
        )
        self.physical_resource_id = answer["GroupId"]
        self.rules("AuthorizeSecurityGroupIngress", self.physical_resource_id, self.properties.get("SecurityGroupIngress", []), "Source")
        if self.properties.get("SecurityGroupEgress"):
            self.rules("RevokeSecurityGroupEgress", self.physical_resource_id, [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}], "Destination")
            self.rules("AuthorizeSecurityGroupEgress", self.physical_resource_id, self.properties["SecurityGroupEgress"], "Destination")

    def update(self, old: dict[str, Any]) -> None:
        for direction, peer in (("Ingress", "Source"), ("Egress", "Destination")):
            before, after = old.get(f"SecurityGroup{direction}", []), self.properties.get(f"SecurityGroup{direction}", [])
            self.rules(f"RevokeSecurityGroup{direction}", self.physical_resource_id, [rule for rule in before if rule not in after], peer)
            self.rules(
                f"AuthorizeSecurityGroup{direction}", self.physical_resource_id, [rule for rule in after if rule not in before], peer
            )

    def delete(self) -> None:
        self.call("ec2", "DeleteSecurityGroup", GroupId=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        return self.properties["VpcId"] if name == "VpcId" else self.physical_resource_id


class _Rule(_Rules):
    """One rule. It changes by being replaced; a changed description alone is left as it was."""

    replaced_by = (
        "GroupId",
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIp",
        "CidrIpv6",
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
        "SourcePrefixListId",
        "DestinationPrefixListId",
    )
    attributes = ("Id",)
    direction: str
    peer: str

    def create(self) -> None:
        answer = self.rules(f"AuthorizeSecurityGroup{self.direction}", self.properties["GroupId"], [self.properties], self.peer)
        rules = answer.get("SecurityGroupRules", [])
        self.physical_resource_id = rules[0]["SecurityGroupRuleId"] if rules else self.name

    def delete(self) -> None:
        self.rules(f"RevokeSecurityGroup{self.direction}", self.properties["GroupId"], [self.properties], self.peer)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class SecurityGroupIngress(_Rule):
    type = "AWS::EC2::SecurityGroupIngress"
    direction, peer = "Ingress", "Source"


@model
class SecurityGroupEgress(_Rule):
    type = "AWS::EC2::SecurityGroupEgress"
    direction, peer = "Egress", "Destination"
