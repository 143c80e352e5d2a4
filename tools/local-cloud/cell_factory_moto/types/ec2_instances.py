"""Instances of EC2."""

import base64
from typing import Any

from moto.core.exceptions import ServiceException

from ..model import Model, ec2, model

# How an image is named that EC2 looks up when it starts an instance.
RESOLVED = "resolve:ssm:"


@model
class Instance(Model):
    """moto's own knows few properties, cannot be updated, and loses security groups and user data."""

    type = "AWS::EC2::Instance"
    replaced_by = (
        "AvailabilityZone",
        "BlockDeviceMappings",
        "ImageId",
        "KeyName",
        "LaunchTemplate",
        "NetworkInterfaces",
        "PrivateIpAddress",
        "SubnetId",
    )
    attributes = ("AvailabilityZone", "InstanceId", "PrivateDnsName", "PrivateIp", "PublicDnsName", "PublicIp", "VpcId")
    ec2_tags = True

    def create(self) -> None:
        answer = self.call("ec2", "RunInstances", **self._parameters(), MinCount=1, MaxCount=1)
        self.physical_resource_id = answer["Instances"][0]["InstanceId"]
        self._check_source()
        self._await_signal()

    def update(self, old: dict[str, Any]) -> None:
        """For another type or other user data, CloudFormation stops the instance (which gives it another public address)."""
        parameters = self._parameters()
        changed = [name for name in ("InstanceType", "UserData") if name in parameters and self.properties.get(name) != old.get(name)]
        if changed:
            self.call("ec2", "StopInstances", InstanceIds=[self.physical_resource_id])
        for name in changed:
            self._modify(**{name: {"Value": parameters[name]}})
        if self.properties.get("SecurityGroupIds") != old.get("SecurityGroupIds"):
            self._modify(Groups=self.properties.get("SecurityGroupIds", []))
        if self.properties.get("IamInstanceProfile") != old.get("IamInstanceProfile"):
            self._change_profile()
        self._check_source()
        if changed:
            self.call("ec2", "StartInstances", InstanceIds=[self.physical_resource_id])

    def delete(self) -> None:
        """moto keeps the interfaces of an instance that is gone."""
        interfaces = [interface["NetworkInterfaceId"] for interface in self._described()["NetworkInterfaces"]]
        self.call("ec2", "TerminateInstances", InstanceIds=[self.physical_resource_id])
        for interface in interfaces:
            ec2(self.account_id, self.region).enis.pop(interface, None)

    def attribute(self, name: str) -> str:
        described = self._described()
        values = {
            "AvailabilityZone": described["Placement"]["AvailabilityZone"],
            "InstanceId": self.physical_resource_id,
            "PrivateIp": described.get("PrivateIpAddress"),
            "PublicIp": described.get("PublicIpAddress"),
        }
        return values.get(name) or described.get(name) or ""

    def _described(self) -> dict[str, Any]:
        return self.call("ec2", "DescribeInstances", InstanceIds=[self.physical_resource_id])["Reservations"][0]["Instances"][0]

    def _modify(self, **what: Any) -> None:
        self.call("ec2", "ModifyInstanceAttribute", InstanceId=self.physical_resource_id, **what)

    def _check_source(self) -> None:
        """moto keeps this for the instance and for its interface apart; on AWS the two are one."""
        check = {"Value": self.properties.get("SourceDestCheck", True)}
        self._modify(SourceDestCheck=check)
        interface = self._described()["NetworkInterfaces"][0]["NetworkInterfaceId"]
        self.call("ec2", "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface, SourceDestCheck=check)

    def _await_signal(self) -> None:
        """Where the template has a creation policy, AWS waits for as many signals. No user data runs here: one that sends a signal is
        taken to succeed, and without one the stack fails as it does on AWS when the time is over."""
        policy = self.creation_policy.get("ResourceSignal")
        text = self._parameters().get("UserData", "")
        if policy and "cfn-signal" not in text:
            self.delete()
            count = policy.get("Count", 1)
            raise ServiceException(f"Failed to receive {count} resource signal(s) within the specified duration")

    def _change_profile(self) -> None:
        filters = [{"Name": "instance-id", "Values": [self.physical_resource_id]}]
        held = self.call("ec2", "DescribeIamInstanceProfileAssociations", Filters=filters)
        for association in held["IamInstanceProfileAssociations"]:
            self.call("ec2", "DisassociateIamInstanceProfile", AssociationId=association["AssociationId"])
        profile = self.properties.get("IamInstanceProfile")
        if profile:
            self.call("ec2", "AssociateIamInstanceProfile", InstanceId=self.physical_resource_id, IamInstanceProfile={"Name": profile})

    def _template(self) -> dict[str, Any]:
        """What the launch template says, in the version that the instance names."""
        named = dict(self.properties.get("LaunchTemplate") or {})
        if not named:
            return {}
        versions = self.call("ec2", "DescribeLaunchTemplateVersions", Versions=[str(named.pop("Version"))], **named)
        return versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]

    def _parameters(self) -> dict[str, Any]:
        """CloudFormation calls some parameters otherwise than the API. Tags are put on later, as for every type."""
        parameters = {key: value for key, value in self.properties.items() if key != "Tags"}
        if parameters.get("ImageId", "").startswith(RESOLVED):
            # CloudFormation's documentation has such names in launch templates only: what nobody has seen, is refused here.
            raise ServiceException(f"Invalid id: \"{parameters['ImageId']}\" (Service: Ec2, Status Code: 400)")
        template = self._template()
        if "ImageId" in template and "ImageId" not in parameters:
            image = template["ImageId"]
            # moto takes it for the name of an image.
            resolved = image.startswith(RESOLVED)
            name = image.removeprefix(RESOLVED)
            parameters["ImageId"] = self.call("ssm", "GetParameter", Name=name)["Parameter"]["Value"] if resolved else image
        if "AvailabilityZone" in parameters:
            parameters["Placement"] = {"AvailabilityZone": parameters.pop("AvailabilityZone")}
        if "IamInstanceProfile" in parameters:
            parameters["IamInstanceProfile"] = {"Name": parameters["IamInstanceProfile"]}
        if "Monitoring" in parameters:
            parameters["Monitoring"] = {"Enabled": parameters["Monitoring"]}
        if "UserData" in parameters:
            # The client encodes it (again).
            parameters["UserData"] = base64.b64decode(parameters["UserData"]).decode()
        elif "UserData" in template:
            parameters["UserData"] = base64.b64decode(template["UserData"]).decode()
        if "NetworkInterfaces" in parameters:
            parameters["NetworkInterfaces"] = [{**each, "Groups": each.get("GroupSet", [])} for each in parameters["NetworkInterfaces"]]
        return parameters
