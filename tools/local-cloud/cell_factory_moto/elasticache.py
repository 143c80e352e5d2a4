"""ElastiCache: parameter groups, which moto does not have. Of the parameters, those are known that a group sets itself."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult, PaginatedResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.responses import ElastiCacheResponse
from moto.utilities.utils import get_partition

from .replacing import replaces


class GroupNotFound(ElastiCacheException):
    code = "CacheParameterGroupNotFound"


class GroupExists(ElastiCacheException):
    code = "CacheParameterGroupAlreadyExists"


def _groups(response: ElastiCacheResponse) -> dict[str, dict[str, Any]]:
    """The groups of this account and region, by name."""
    return response.elasticache_backend.__dict__.setdefault("cell_factory_parameter_groups", {})


def _named(response: ElastiCacheResponse) -> dict[str, Any]:
    name = response._get_param("CacheParameterGroupName")
    if name not in _groups(response):
        raise GroupNotFound(f"CacheParameterGroup {name} not found.")
    return _groups(response)[name]


@replaces(ElastiCacheResponse)
def create_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """CreateCacheParameterGroup."""
    name, family = self._get_param("CacheParameterGroupName"), self._get_param("CacheParameterGroupFamily")
    if name in _groups(self):
        raise GroupExists(f"CacheParameterGroup {name} already exists.")
    backend = self.elasticache_backend
    arn = f"arn:{get_partition(self.region)}:elasticache:{self.region}:{backend.account_id}:parametergroup:{name}"
    group = {"CacheParameterGroupName": name, "CacheParameterGroupFamily": family, "Description": self._get_param("Description")}
    _groups(self)[name] = {**group, "IsGlobal": False, "ARN": arn, "values": {}}
    backend.tagging_service.tag_resource(arn, self._get_param("Tags", []))
    return ActionResult({"CacheParameterGroup": _groups(self)[name]})


@replaces(ElastiCacheResponse)
def describe_cache_parameter_groups(self: ElastiCacheResponse) -> ActionResult:
    """DescribeCacheParameterGroups."""
    groups = [_named(self)] if self._get_param("CacheParameterGroupName") else list(_groups(self).values())
    return PaginatedResult({"CacheParameterGroups": groups})


@replaces(ElastiCacheResponse)
def describe_cache_parameters(self: ElastiCacheResponse) -> ActionResult:
    """DescribeCacheParameters."""
    values = _named(self)["values"]
    return PaginatedResult(
        {"Parameters": [{"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in values.items()]}
    )


def _change(response: ElastiCacheResponse, value_of: Any) -> ActionResult:
    group = _named(response)
    for parameter in response._get_param("ParameterNameValues", []):
        value_of(group["values"], parameter["ParameterName"], parameter.get("ParameterValue"))
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


@replaces(ElastiCacheResponse)
def modify_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """ModifyCacheParameterGroup."""
    return _change(self, lambda values, name, value: values.update({name: value}))


@replaces(ElastiCacheResponse)
def reset_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """ResetCacheParameterGroup, of single parameters."""
    return _change(self, lambda values, name, _: values.pop(name, None))


@replaces(ElastiCacheResponse)
def delete_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """DeleteCacheParameterGroup."""
    group = _named(self)
    del _groups(self)[group["CacheParameterGroupName"]]
    return EmptyResult()
