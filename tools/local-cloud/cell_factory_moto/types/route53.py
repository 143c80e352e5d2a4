"""Names. moto's zones are all public and without tags, and its record sets are not quite those of the API."""

from typing import Any

from moto.core.exceptions import ServiceException

from ..model import Model, model, tag_dict

SERVICE = "route53"


@model
class HostedZone(Model):
    type = "AWS::Route53::HostedZone"
    replaced_by = ("Name",)
    attributes = ("Id", "NameServers")

    def create(self) -> None:
        networks = [{"VPCId": each["VPCId"], "VPCRegion": each["VPCRegion"]} for each in self.properties.get("VPCs", [])]
        settings = {**self.properties.get("HostedZoneConfig", {}), "PrivateZone": bool(networks)}
        self.answer = self.call(
            SERVICE,
            "CreateHostedZone",
            Name=self.properties["Name"],
            CallerReference=self.name,
            HostedZoneConfig=settings,
            **({"VPC": networks[0]} if networks else {}),
        )
        self.physical_resource_id = self.answer["HostedZone"]["Id"].removeprefix("/hostedzone/")
        for network in networks[1:]:
            self.call(SERVICE, "AssociateVPCWithHostedZone", HostedZoneId=self.physical_resource_id, VPC=network)
        self._tag({})

    def update(self, old: dict[str, Any]) -> None:
        comment = self.properties.get("HostedZoneConfig", {}).get("Comment", "")
        self.call(SERVICE, "UpdateHostedZoneComment", Id=self.physical_resource_id, Comment=comment)
        self._tag(old)

    def delete(self) -> None:
        self.call(SERVICE, "DeleteHostedZone", Id=self.physical_resource_id)

    def attribute(self, name: str) -> Any:
        return self.physical_resource_id if name == "Id" else self.answer["DelegationSet"]["NameServers"]

    def _tag(self, old: dict[str, Any]) -> None:
        tags = tag_dict(self.properties, "HostedZoneTags")
        self.call(
            SERVICE,
            "ChangeTagsForResource",
            ResourceType="hostedzone",
            ResourceId=self.physical_resource_id,
            AddTags=[{"Key": key, "Value": value} for key, value in tags.items()],
            RemoveTagKeys=[key for key in tag_dict(old, "HostedZoneTags") if key not in tags],
        )


@model
class RecordSet(Model):
    type = "AWS::Route53::RecordSet"
    replaced_by = ("HostedZoneId", "HostedZoneName", "Name", "SetIdentifier", "Type")

    def create(self) -> None:
        self.physical_resource_id = self.properties["Name"].removesuffix(".")
        self._change("CREATE")

    def update(self, old: dict[str, Any]) -> None:
        self._change("UPSERT")

    def delete(self) -> None:
        self._change("DELETE")

    def _change(self, action: str) -> None:
        values = [{"Value": value} for value in self.properties.get("ResourceRecords", [])]
        records = {**self.properties, "ResourceRecords": values} if values else self.properties
        changes = [{"Action": action, "ResourceRecordSet": records}]
        self.call(SERVICE, "ChangeResourceRecordSets", HostedZoneId=self._zone(), ChangeBatch={"Changes": changes})

    def _zone(self) -> str:
        """The zone is given by its id or by its name."""
        if "HostedZoneId" in self.properties:
            return self.properties["HostedZoneId"]
        name = f"{self.properties['HostedZoneName'].strip('.')}."
        zones = [zone["Id"] for zone in self.call(SERVICE, "ListHostedZonesByName", DNSName=name)["HostedZones"] if zone["Name"] == name]
        if len(zones) != 1:
            raise ServiceException(f"Expected one hosted zone of the name {name}, found {len(zones)}")
        return zones[0]
