"""Service Quotas: moto has the VPC's default quotas only, and no requests."""

import json
import uuid
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from .replacing import replaces

# What a new account has, by service and quota: low, as on AWS.
NEW_ACCOUNT = {
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6.0),
    ("lambda", "L-B99A9384"): ("Concurrent executions", 10.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("rds", "L-7B6409FD"): ("DB instances", 40.0),
    ("elasticache", "L-DFE45DF3"): ("Nodes per Region", 300.0),
}

# Open requests that AWS takes per region and account (Service Quotas User Guide).
OPEN_REQUESTS = 2

moto_get_service_quota = ServiceQuotasBackend.get_service_quota


@replaces(ServiceQuotasBackend)
def get_service_quota(self: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
    """GetServiceQuota, also for the services that cells use."""
    if (service_code, quota_code) not in NEW_ACCOUNT:
        return moto_get_service_quota(self, service_code, quota_code)
    name, value = NEW_ACCOUNT[(service_code, quota_code)]
    return {
        "ServiceCode": service_code,
        "QuotaCode": quota_code,
        "QuotaName": name,
        "QuotaArn": f"arn:{self.partition}:servicequotas:{self.region_name}:{self.account_id}:{service_code}/{quota_code}",
        "Value": value,
        "Adjustable": True,
        "GlobalQuota": False,
        "Unit": "None",
    }


def _requests(backend: ServiceQuotasBackend) -> list[dict[str, Any]]:
    """Every request of this account and region. Nobody ever answers one: they stay pending."""
    return backend.__dict__.setdefault("cell_factory_requests", [])


@replaces(ServiceQuotasResponse)
def request_service_quota_increase(self: ServiceQuotasResponse) -> str:
    """RequestServiceQuotaIncrease: one open request per quota, two per region and account."""
    params = json.loads(self.body)
    key = {"ServiceCode": params["ServiceCode"], "QuotaCode": params["QuotaCode"]}
    quota = self.backend.get_service_quota(params["ServiceCode"], params["QuotaCode"])
    requests = _requests(self.backend)
    if any(key.items() <= request.items() for request in requests):
        raise JsonRESTError("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota.")
    if len(requests) >= OPEN_REQUESTS:
        raise JsonRESTError("QuotaExceededException", "You have exceeded your Service Quotas quota for open requests.")
    request = {
        **key,
        "Id": uuid.uuid4().hex,
        "QuotaName": quota["QuotaName"],
        "DesiredValue": params["DesiredValue"],
        "Status": "PENDING",
        "Created": unix_time(),
    }
    requests.append(request)
    return json.dumps({"RequestedQuota": request})


@replaces(ServiceQuotasResponse)
def list_requested_service_quota_change_history_by_quota(self: ServiceQuotasResponse) -> str:
    """ListRequestedServiceQuotaChangeHistoryByQuota."""
    params = json.loads(self.body)
    key = {"ServiceCode": params["ServiceCode"], "QuotaCode": params["QuotaCode"]}
    return json.dumps({"RequestedQuotas": [request for request in _requests(self.backend) if key.items() <= request.items()]})
