"""Regions that an account has to enable first. In moto every account is in every region.

On AWS (read 2026-11-30):
- regions that were launched after 2019-03-20 are disabled until the account enables them, which takes minutes, sometimes hours
  ("Enable or disable AWS Regions in your account", AWS Account Management Reference Guide);
- until then calls there are refused, because IAM has not brought the account's identities there (the same guide). STS answers
  RegionDisabledException (AssumeRole, AWS STS API Reference), EC2 AuthFailure ("Error codes", Amazon EC2 API Reference), the others an
  invalid token, by the name that their protocol has for it;
- keys of a role are given where the role's own account has the region, whoever asks: "STS is not activated in the requested region for
  the account that is being asked to generate credentials" (RegionDisabledException, AssumeRole, AWS STS API Reference).
Here it takes two seconds.
"""

import json
import re
import time

from flask import Flask, Response, request
from moto.account.responses import AccountResponse
from moto.account.urls import url_paths
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.iam import models as iam

from . import faults
from .replacing import replaces

# Source: "AWS Regions", AWS Regions and Availability Zones: those launched after 2019-03-20.
OPT_IN = {
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6"),
    *("ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1"),
    "mx-central-1",
}

ENABLING_SECONDS = 2.0

# Services that are the same in all regions.
GLOBAL = {"account", "budgets", "cloudfront", "iam", "organizations", "route53"}

# When a region is ready, by account and region.
_enabled: dict[tuple[str, str], float] = {}


def status(account: str, region: str) -> str:
    if region not in OPT_IN:
        return "ENABLED_BY_DEFAULT"
    ready = _enabled.get((account, region))
    if ready is None:
        return "DISABLED"
    return "ENABLED" if time.time() >= ready else "ENABLING"


def watch(app: Flask, moto_name: str) -> None:
    """Lets every call of the service be held against the regions of the account that calls."""
    service = faults.NAMES.get(moto_name, moto_name)
    if service not in GLOBAL:
        app.before_request(lambda: _refusal(service))


def _refusal(service: str) -> Response | None:
    scope = re.search(r"Credential=([^/]+)/[^/]+/([^/]+)/", request.headers.get("authorization", ""))
    if not scope or scope[2] not in OPT_IN:
        return None
    account = request.headers.get("x-moto-account-id") or iam.get_account_id_from(scope[1])
    role = faults._form().get("RoleArn", [""])[0].split(":") if service == "sts" else []
    asked = [account, role[4]] if len(role) > 5 else [account]
    account = next((each for each in asked if status(each, scope[2]) != "ENABLED"), "")
    operation = faults._operation(service) if account else None
    if not operation:
        return None
    code, message = _error(service, scope[2], account)
    return faults._answer(service, operation, faults.Fault(service, operation, code, message=message, status=403))


def _error(service: str, region: str, account: str) -> tuple[str, str]:
    if service == "sts":
        return "RegionDisabledException", f"STS is not activated in {region} for account:{account}. Your account administrator can activate it."
    if service == "ec2":
        return "AuthFailure", "AWS was not able to validate the provided access credentials"
    token = "The security token included in the request is invalid"
    if request.headers.get("x-amz-target"):
        return "UnrecognizedClientException", f"{token}."
    return ("InvalidToken" if service == "s3" else "InvalidClientTokenId"), token


def _parameters(self: AccountResponse) -> tuple[str, str]:
    wanted = json.loads(request.get_data(cache=True, as_text=True) or "{}")
    return wanted.get("AccountId") or self.current_account, wanted["RegionName"]


@replaces(AccountResponse)
def get_region_opt_status(self: AccountResponse) -> ActionResult:
    account, region = _parameters(self)
    return ActionResult({"RegionName": region, "RegionOptStatus": status(account, region)})


@replaces(AccountResponse)
def enable_region(self: AccountResponse) -> EmptyResult:
    """A region that is being enabled, or can't be, is refused."""
    account, region = _parameters(self)
    now = status(account, region)
    if now == "ENABLING":
        raise JsonRESTError("ConflictException", f"Region {region} is being enabled.")
    if now == "ENABLED_BY_DEFAULT":
        raise JsonRESTError("ValidationException", f"Region {region} is enabled by default.")
    if now == "DISABLED":
        _enabled[(account, region)] = time.time() + ENABLING_SECONDS
    return EmptyResult()


for path in ("getRegionOptStatus", "enableRegion"):
    url_paths["{0}/" + path + "$"] = AccountResponse.dispatch
