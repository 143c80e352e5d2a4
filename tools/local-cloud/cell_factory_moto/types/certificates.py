"""Certificates. moto has the API, but no CloudFormation type."""

from typing import Any

from moto.acm.models import acm_backends
from moto.core.exceptions import ServiceException

from .. import acm, dns
from ..model import Model, model, tag_list

SERVICE = "acm"


@model
class Certificate(Model):
    type = "AWS::CertificateManager::Certificate"
    replaced_by = (
        "CertificateAuthorityArn",
        "CertificateExport",
        "DomainName",
        "DomainValidationOptions",
        "KeyAlgorithm",
        "SubjectAlternativeNames",
        "ValidationMethod",
    )

    def create(self) -> None:
        """As CloudFormation does, puts the validation records into the zones that are given. Where those do not answer in the
        public DNS, AWS waits for hours; here the stack fails, and the certificate goes."""
        request = {key: value for key, value in self.properties.items() if key not in ("DomainValidationOptions", "Tags")}
        tags = {"Tags": tag_list(self.properties)} if self.properties.get("Tags") else {}
        self.physical_resource_id = self.call(SERVICE, "RequestCertificate", **request, **tags)["CertificateArn"]
        self._prove()
        problem = self._problem()
        if problem:
            self.delete()
            raise ServiceException(problem)

    def update(self, old: dict[str, Any]) -> None:
        gone = [tag for tag in tag_list(old) if tag not in tag_list(self.properties)]
        if gone:
            self.call(SERVICE, "RemoveTagsFromCertificate", CertificateArn=self.physical_resource_id, Tags=gone)
        if self.properties.get("Tags"):
            self.call(SERVICE, "AddTagsToCertificate", CertificateArn=self.physical_resource_id, Tags=tag_list(self.properties))

    def delete(self) -> None:
        """The validation records stay in their zones, as on AWS."""
        self.call(SERVICE, "DeleteCertificate", CertificateArn=self.physical_resource_id)

    def _prove(self) -> None:
        """Puts the validation records into the zones that the template names."""
        zones = {option["DomainName"]: option.get("HostedZoneId") for option in self.properties.get("DomainValidationOptions", [])}
        described = self.call(SERVICE, "DescribeCertificate", CertificateArn=self.physical_resource_id)["Certificate"]
        for option in described.get("DomainValidationOptions", []):
            zone = zones.get(option["DomainName"])
            if zone:
                record = option["ResourceRecord"]
                records = {"Name": record["Name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": record["Value"]}]}
                changes = [{"Action": "UPSERT", "ResourceRecordSet": records}]
                self.call("route53", "ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def _problem(self) -> str | None:
        """Why the certificate is not issued, or None."""
        certificate = acm_backends[self.account_id][self.region].get_certificate(self.physical_resource_id)
        if certificate.status != "PENDING_VALIDATION":
            return None
        missing = [f"{record['Name']} ({dns.describe(answer)})" for record, answer in acm.unanswered(certificate)]
        return (
            f"The certificate for {certificate.common_name} stays in PENDING_VALIDATION, on AWS for hours: the public DNS does not have "
            f"the validation record {', '.join(missing)}. Is there an NS record in the parent zone, with this zone's name servers?"
        )
