"""Networks. moto's models of these types drop properties (egress rules, tags, DNS settings), cannot be updated, or cannot be deleted."""

import inspect
from typing import Any

from moto.ec2.models import EC2Backend

from ..model import ATTRIBUTES, CREATES, DELETES, UPDATES, REPLACE, ApiModel, Model, ec2, known, model
from ..replacing import replaces
from ..zones import require_endpoints

VPC = "AWS::EC2::VPC"
SUBNET = "AWS::EC2::Subnet"

VPC_SETTINGS = {"EnableDnsHostnames": "enable_dns_hostnames", "EnableDnsSupport": "enable_dns_support"}
SUBNET_SETTINGS = {"MapPublicIpOnLaunch": "map_public_ip_on_launch", "AssignIpv6AddressOnCreation": "assign_ipv6_address_on_creation"}


def _set(resource: Any, properties: dict[str, Any], settings: dict[str, str]) -> None:
    for name, field in settings.items():
        if name in properties:
            setattr(resource, field, str(properties[name]).lower())


def _only(changed: dict[str, Any], old: dict[str, Any], names: tuple[str, ...]) -> bool:
    return all(changed.get(key) == old.get(key) or key in names for key in {*changed, *old})


@known(CREATES, VPC)
def finish_vpc(vpc: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    """moto ignores the DNS settings."""
    _set(vpc, properties, VPC_SETTINGS)


@known(UPDATES, VPC)
def update_vpc(vpc: Any, new: dict[str, Any], old: dict[str, Any], account_id: str, region: str) -> Any:
    if not _only(new, old, ("Tags", "InstanceTenancy", *VPC_SETTINGS)):
        return REPLACE
    _set(vpc, new, VPC_SETTINGS)
    return vpc


@known(CREATES, SUBNET)
def finish_subnet(subnet: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    """moto ignores whether instances get public addresses."""
    _set(subnet, properties, SUBNET_SETTINGS)


@known(UPDATES, SUBNET)
def update_subnet(subnet: Any, new: dict[str, Any], old: dict[str, Any], account_id: str, region: str) -> Any:
    if not _only(new, old, ("Tags", *SUBNET_SETTINGS)):
        return REPLACE
    _set(subnet, new, SUBNET_SETTINGS)
    return subnet


ATTRIBUTES[SUBNET] = {
    "SubnetId": lambda subnet: subnet.id,
    "VpcId": lambda subnet: subnet.vpc_id,
    "CidrBlock": lambda subnet: subnet.cidr_block,
    "AvailabilityZone": lambda subnet: subnet.availability_zone,
    "AvailabilityZoneId": lambda subnet: subnet._availability_zone.zone_id,
    "NetworkAclAssociationId": lambda subnet: f"aclassoc-{subnet.id[7:]}",
    "Ipv6CidrBlocks": lambda subnet: [],
}
ATTRIBUTES[VPC] = {
    "VpcId": lambda vpc: vpc.id,
    "CidrBlock": lambda vpc: vpc.cidr_block,
    "CidrBlockAssociations": lambda vpc: [each["association_id"] for each in vpc.get_cidr_block_association_set()],
    "DefaultSecurityGroup": lambda vpc: vpc.ec2_backend.get_security_group_by_name_or_id("default", vpc.id).id,
    "DefaultNetworkAcl": lambda vpc: vpc.ec2_backend.describe_network_acls(filters={"vpc-id": [vpc.id], "default": ["true"]})[0].id,
    "Ipv6CidrBlocks": lambda vpc: [],
}
ATTRIBUTES["AWS::EC2::InternetGateway"] = {"InternetGatewayId": lambda gateway: gateway.id}
ATTRIBUTES["AWS::EC2::RouteTable"] = {"RouteTableId": lambda table: table.id}
ATTRIBUTES["AWS::EC2::VPCPeeringConnection"] = {"Id": lambda peering: peering.id}


@known(DELETES, "AWS::EC2::InternetGateway")
def delete_internet_gateway(gateway: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    ec2(account_id, region).delete_internet_gateway(gateway.id)


@known(DELETES, "AWS::EC2::VPCGatewayAttachment")
def delete_gateway_attachment(attachment: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    backend = ec2(account_id, region)
    if "InternetGatewayId" in properties:
        backend.detach_internet_gateway(properties["InternetGatewayId"], properties["VpcId"])
    else:
        backend.detach_vpn_gateway(properties["VpnGatewayId"], properties["VpcId"])


@known(DELETES, "AWS::EC2::RouteTable")
def delete_route_table(table: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    ec2(account_id, region).delete_route_table(table.id)


moto_create_flow_logs = EC2Backend.create_flow_logs


@replaces(EC2Backend)
def create_flow_logs(self: EC2Backend, *arguments: Any, **more: Any) -> Any:
    """CreateFlowLogs. moto takes a folder of the bucket for a part of the bucket's name, and finds no such bucket."""
    named = inspect.signature(moto_create_flow_logs).bind(self, *arguments, **more).arguments
    destination = named["log_destination"]
    if named["log_destination_type"] == "s3":
        named["log_destination"] = destination.partition("/")[0]
    made, unsuccessful = moto_create_flow_logs(**named)
    for flow_log in made:
        flow_log.log_destination = destination
    return made, unsuccessful


@known(DELETES, "AWS::EC2::FlowLog")
def delete_flow_log(flow_log: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    ec2(account_id, region).delete_flow_logs([flow_log.id])


@known(DELETES, "AWS::EC2::VPCPeeringConnection")
def delete_peering(peering: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    ec2(account_id, region).delete_vpc_peering_connection(peering.id)


@model
class Route(Model):
    type = "AWS::EC2::Route"
    replaced_by = ("RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    attributes = ("CidrBlock",)

    def create(self) -> None:
        self.call("ec2", "CreateRoute", **self.properties)
        self.physical_resource_id = f"{self.properties['RouteTableId']}|{self.attribute('CidrBlock')}"

    def update(self, old: dict[str, Any]) -> None:
        self.call("ec2", "ReplaceRoute", **self.properties)

    def delete(self) -> None:
        self.call("ec2", "DeleteRoute", **self.properties)

    def attribute(self, name: str) -> str:
        return next((str(self.properties[key]) for key in self.replaced_by[1:] if key in self.properties), "")


@model
class SubnetRouteTableAssociation(ApiModel):
    """moto answers the route table's id for Ref, and reuses an association that exists."""

    type = "AWS::EC2::SubnetRouteTableAssociation"
    replaced_by = ("SubnetId", "RouteTableId")
    attributes = ("Id",)
    service, creates, deletes, id_parameter, id_path = (
        "ec2",
        "AssociateRouteTable",
        "DisassociateRouteTable",
        "AssociationId",
        "AssociationId",
    )

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class ElasticIp(Model):
    type = "AWS::EC2::EIP"
    replaced_by = ("Domain", "PublicIpv4Pool")
    attributes = ("AllocationId", "PublicIp")

    def create(self) -> None:
        self.answer = self.call("ec2", "AllocateAddress", **{"Domain": "vpc", **self.properties})
        self.physical_resource_id = self.answer["PublicIp"]
        tags = self.properties.get("Tags")
        if tags:
            self.call("ec2", "CreateTags", Resources=[self.answer["AllocationId"]], Tags=tags)

    def delete(self) -> None:
        self.call("ec2", "ReleaseAddress", AllocationId=self.answer["AllocationId"])

    def attribute(self, name: str) -> str:
        return self.answer[name]


@model
class NatGateway(ApiModel):
    type = "AWS::EC2::NatGateway"
    replaced_by = ("SubnetId", "AllocationId", "ConnectivityType")
    attributes = ("NatGatewayId",)
    ec2_tags = True
    service, creates, deletes, id_parameter, id_path = (
        "ec2",
        "CreateNatGateway",
        "DeleteNatGateway",
        "NatGatewayId",
        "NatGateway.NatGatewayId",
    )

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class VpcEndpoint(Model):
    """moto gives an interface endpoint interfaces that no other call can read."""

    type = "AWS::EC2::VPCEndpoint"
    replaced_by = ("ServiceName", "VpcEndpointType", "VpcId")
    attributes = ("Id", "CreationTimestamp", "DnsEntries", "NetworkInterfaceIds")
    ec2_tags = True

    def create(self) -> None:
        without_subnets = {key: value for key, value in self.properties.items() if key != "SubnetIds"}
        self.answer = self.call("ec2", "CreateVpcEndpoint", **{"PrivateDnsEnabled": False, **without_subnets})["VpcEndpoint"]
        self.physical_resource_id = self.answer["VpcEndpointId"]
        self.update({})

    def update(self, old: dict[str, Any]) -> None:
        """moto has no ModifyVpcEndpoint for everything: change the endpoint itself."""
        endpoint = self._endpoint()
        endpoint.policy_document = self.properties.get("PolicyDocument", endpoint.policy_document)
        endpoint.route_table_ids = self.properties.get("RouteTableIds", [])
        endpoint.security_group_ids = self.properties.get("SecurityGroupIds", [])
        endpoint.private_dns_enabled = str(self.properties.get("PrivateDnsEnabled", False)).lower() == "true"
        if any(self.properties.get(key) != old.get(key) for key in ("SubnetIds", "SecurityGroupIds")):
            self._disconnect(endpoint)
            self._connect(endpoint)

    def delete(self) -> None:
        """moto goes on listing a deleted endpoint."""
        self._disconnect(self._endpoint())
        self.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[self.physical_resource_id])
        ec2(self.account_id, self.region).vpc_end_points.pop(self.physical_resource_id, None)

    def attribute(self, name: str) -> Any:
        if name == "Id":
            return self.physical_resource_id
        if name == "NetworkInterfaceIds":
            return self._endpoint().network_interface_ids
        if name == "DnsEntries":
            return [f"{entry.get('HostedZoneId', '')}:{entry.get('DnsName', '')}" for entry in self.answer.get("DnsEntries", [])]
        return str(self.answer.get(name, ""))

    def _endpoint(self) -> Any:
        return ec2(self.account_id, self.region).vpc_end_points[self.physical_resource_id]

    def _connect(self, endpoint: Any) -> None:
        """One interface in each subnet, in the endpoint's security groups."""
        endpoint.subnet_ids = self.properties.get("SubnetIds", [])
        require_endpoints(ec2(self.account_id, self.region), endpoint.service_name, endpoint.subnet_ids)
        endpoint.network_interface_ids = [
            self.call(
                "ec2",
                "CreateNetworkInterface",
                SubnetId=subnet,
                Groups=endpoint.security_group_ids,
                Description=f"VPC Endpoint Interface {self.physical_resource_id}",
            )["NetworkInterface"]["NetworkInterfaceId"]
            for subnet in endpoint.subnet_ids
        ]

    def _disconnect(self, endpoint: Any) -> None:
        for interface in endpoint.network_interface_ids or []:
            self.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface)
        endpoint.network_interface_ids = []
