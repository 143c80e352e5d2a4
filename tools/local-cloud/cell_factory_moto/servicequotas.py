"""Service Quotas: moto has the VPC's default quotas only, and no requests.

Quotas of new accounts bite, as on AWS: moto lets every function reserve what it likes, and an account have any number of roles.
That CodeBuild refuses builds can't be seen: nothing is built here.
"""

import json
import uuid
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend, Role
from moto.servicequotas.models import ServiceQuotasBackend, servicequotas_backends
from moto.servicequotas.responses import ServiceQuotasResponse

from .replacing import replaces

# What a new account has, by service and quota: low, as on AWS. Sources, read 2026-11-30: "Understanding Lambda function
# scaling" (AWS Lambda Developer Guide), "Quotas for AWS CodeBuild" (AWS CodeBuild User Guide), "IAM and AWS STS quotas"
# (IAM User Guide).
NEW_ACCOUNT = {
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6.0),
    ("lambda", "L-B99A9384"): ("Concurrent executions", 10.0),
    ("codebuild", "L-5ED1D25B"): ("Concurrently running builds for ARM/Small environment", 1.0),
    ("iam", "L-FE177D64"): ("Roles per account", 1000.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("rds", "L-7B6409FD"): ("DB instances", 40.0),
    ("elasticache", "L-DFE45DF3"): ("Nodes per Region", 300.0),
}

# Services whose quotas are the whole account's, and are known in us-east-1 only.
GLOBAL = ("iam",)

# Open requests that AWS takes per region and account (Service Quotas User Guide).
OPEN_REQUESTS = 2

# Seconds until a request is granted: on AWS minutes to days.
GRANTED_AFTER = 120

# Calls at once that no function may reserve, or all where the account has fewer. Sources, read 2026-11-30: "Configuring
# reserved concurrency" (AWS Lambda Developer Guide); for a new account, aws-samples/alarm-context-tool issue 2.
UNRESERVED = 100

moto_get_service_quota = ServiceQuotasBackend.get_service_quota
moto_put_function_concurrency = LambdaBackend.put_function_concurrency
moto_create_role = IAMBackend.create_role


@replaces(ServiceQuotasBackend)
def get_service_quota(self: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
    """GetServiceQuota, also for the services that cells use."""
    elsewhere = service_code in GLOBAL and self.region_name != "us-east-1"
    if elsewhere or (service_code, quota_code) not in NEW_ACCOUNT:
        return moto_get_service_quota(self, service_code, quota_code)
    name, value = NEW_ACCOUNT[(service_code, quota_code)]
    key = (service_code, quota_code)
    asked = [request for request in _requests(self) if (request["ServiceCode"], request["QuotaCode"]) == key]
    value = max([value, *(request["DesiredValue"] for request in asked if not _is_open(request))])
    return {
        "ServiceCode": service_code,
        "QuotaCode": quota_code,
        "QuotaName": name,
        "QuotaArn": f"arn:{self.partition}:servicequotas:{self.region_name}:{self.account_id}:{service_code}/{quota_code}",
        "Value": value,
        "Adjustable": True,
        "GlobalQuota": service_code in GLOBAL,
        "Unit": "None",
    }


def _requests(backend: ServiceQuotasBackend) -> list[dict[str, Any]]:
    """Every request of this account and region."""
    requests: list[dict[str, Any]] = backend.__dict__.setdefault("cell_factory_requests", [])
    for request in requests:
        if unix_time() - request["Created"] >= GRANTED_AFTER:
            request["Status"] = "APPROVED"
    return requests


def _is_open(request: dict[str, Any]) -> bool:
    return bool(request["Status"] == "PENDING")


def _quota(account_id: str, region: str, service_code: str, quota_code: str) -> int:
    return int(servicequotas_backends[account_id][region].get_service_quota(service_code, quota_code)["Value"])


@replaces(LambdaBackend)
def put_function_concurrency(self: LambdaBackend, function_name: str, reserved_concurrency: str) -> str:
    """PutFunctionConcurrency: what the others need stays free."""
    quota = _quota(self.account_id, self.region_name, "lambda", "L-B99A9384")
    minimum = min(UNRESERVED, quota)
    others = [function.reserved_concurrency for function in self.list_functions() if function.function_name != function_name]
    if quota - int(reserved_concurrency) - sum(int(reserved or 0) for reserved in others) < minimum:
        raise InvalidParameterValueException(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{minimum}]."
        )
    return moto_put_function_concurrency(self, function_name, reserved_concurrency)


@replaces(IAMBackend)
def create_role(self: IAMBackend, *args: Any, **kwargs: Any) -> Role:
    """CreateRole: an account may have so many. Wording: serverless-nextjs/serverless-next.js issue 2234, read 2026-11-30."""
    quota = _quota(self.account_id, "us-east-1", "iam", "L-FE177D64")
    if len(self.roles) >= quota:
        raise LimitExceededException(f"Cannot exceed quota for RolesPerAccount: {quota}")
    return moto_create_role(self, *args, **kwargs)


@replaces(ServiceQuotasResponse)
def request_service_quota_increase(self: ServiceQuotasResponse) -> str:
    """RequestServiceQuotaIncrease: one open request per quota, two per region and account."""
    params = json.loads(self.body)
    key = {"ServiceCode": params["ServiceCode"], "QuotaCode": params["QuotaCode"]}
    quota = self.backend.get_service_quota(params["ServiceCode"], params["QuotaCode"])
    requests = [request for request in _requests(self.backend) if _is_open(request)]
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
    _requests(self.backend).append(request)
    return json.dumps({"RequestedQuota": request})


@replaces(ServiceQuotasResponse)
def list_requested_service_quota_change_history_by_quota(self: ServiceQuotasResponse) -> str:
    """ListRequestedServiceQuotaChangeHistoryByQuota."""
    params = json.loads(self.body)
    key = {"ServiceCode": params["ServiceCode"], "QuotaCode": params["QuotaCode"]}
    return json.dumps({"RequestedQuotas": [request for request in _requests(self.backend) if key.items() <= request.items()]})
