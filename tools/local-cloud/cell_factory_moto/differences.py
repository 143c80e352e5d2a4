"""What a change set would do to a stack: per resource, whether it is added, changed, replaced or removed, as far as can be known before."""

from collections.abc import Collection, Iterator
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.parsing import ResourceMap

from .intrinsics import with_dynamic_references
from .model import UPDATES, Model
from .resource_maps import carry, existing_in, in_order, mentions
from .resources import is_active, resource_class_from_type

SCOPES = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy")


def changes_between(old: ResourceMap, new: ResourceMap, deleted: Collection[str] = ()) -> list[dict[str, Any]]:
    """DescribeChangeSet's Changes. Creates nothing: a value that comes from a resource which is not there yet is not looked up.

    `deleted`: logical ids of resources that are to be made anew, because somebody has deleted them."""
    carry(old, new)
    return [{"Type": "Resource", "ResourceChange": change} for change in _changes(old, new, deleted)]


def _changes(old: ResourceMap, new: ResourceMap, deleted: Collection[str]) -> Iterator[dict[str, Any]]:
    existing = {name: resource for name, resource in existing_in(old).items() if name not in deleted}
    # What has another identity afterwards than now.
    unknown: set[str] = set()
    for name in in_order(new._resource_json_map):
        if not is_active(new, name):
            continue
        if name not in existing:
            unknown.add(name)
            yield {"Action": "Add", "LogicalResourceId": name, "ResourceType": new._resource_json_map[name]["Type"]}
            continue
        change = _modification(old, new, name, unknown)
        if change:
            if change["Replacement"] != "False":
                unknown.add(name)
            yield change
    for name, resource in reversed(existing.items()):
        if name not in new._resource_json_map or not is_active(new, name):
            kept = str(old._resource_json_map[name].get("DeletionPolicy")).startswith("Retain")
            yield {**_of(name, resource), "Action": "Remove", "PolicyAction": "Retain" if kept else "Delete"}


def _of(name: str, resource: Any) -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": str(getattr(resource, "physical_resource_id", name)),
        "ResourceType": resource.cf_resource_type,
    }


def _modification(old: ResourceMap, new: ResourceMap, name: str, unknown: set[str]) -> dict[str, Any] | None:
    resource, part, before = new._parsed_resources[name], new._resource_json_map[name], old._resource_json_map[name]
    changed, perhaps = _changed(part.get("Properties") or {}, old.applied.get(name, {}), new, unknown)
    scope = [each for each in SCOPES if part.get(each) != before.get(each)]
    if not changed and not perhaps and not scope:
        return None
    keys = _replacing(resource, part["Type"], changed | perhaps)
    how = "True" if changed & keys else "Conditional" if perhaps & keys or _decides_itself(part["Type"], changed | perhaps) else "False"
    details = [_detail(key, "Static", keys) for key in sorted(changed)] + [_detail(key, "Dynamic", keys) for key in sorted(perhaps)]
    return {
        **_of(name, resource),
        "Action": "Modify",
        "Replacement": how,
        "Scope": (["Properties"] if details else []) + scope,
        "Details": details,
    }


def _changed(
    properties: dict[str, Any], applied: dict[str, Any], resources: ResourceMap, unknown: set[str]
) -> tuple[set[str], set[str]]:
    """The properties that change, and those of which only the update will tell."""
    changed, perhaps = {key for key in applied if key not in properties}, set()
    for key, value in properties.items():
        if unknown.intersection(mentions(value)):
            perhaps.add(key)
        elif with_dynamic_references(parsing.clean_json(value, resources), resources) != applied.get(key):
            changed.add(key)
    return changed, perhaps


def _replacing(resource: Any, cfn_type: str, candidates: set[str]) -> set[str]:
    """Which of the properties cannot be changed in place: the same ones as in an update (`_changed_in_place`)."""
    if isinstance(resource, Model):
        return candidates & {*resource.replaced_by, resource.name_property}
    if cfn_type in UPDATES:
        return set()
    model = resource_class_from_type(cfn_type)
    if hasattr(model.update_from_cloudformation_json, "__isabstractmethod__"):
        return candidates - {"Tags"}
    return candidates & {model.cloudformation_name_type()}


def _decides_itself(cfn_type: str, candidates: set[str]) -> bool:
    """Whether only the update itself knows."""
    return cfn_type in UPDATES and bool(candidates - {"Tags"})


def _detail(name: str, evaluation: str, keys: set[str]) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Always" if name in keys else "Never"}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"}
