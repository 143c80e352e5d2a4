"""Template parameters: the value that was given and the value it resolves to are two things."""

from typing import Any

from moto.cloudformation.exceptions import MissingParameterError, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap
from moto.ssm import ssm_backends

from .replacing import replaces

SSM_TYPE = "AWS::SSM::Parameter::Value<"


def given_parameters(resource_map: ResourceMap) -> dict[str, Any]:
    """Each template parameter's value as given or defaulted, before SSM look-ups."""
    slots = resource_map._template.get("Parameters") or {}
    given = resource_map.input_parameters
    unknown = sorted(name for name in given if name not in slots)
    if unknown and resource_map._template:
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return {name: given.get(name, slot.get("Default")) for name, slot in slots.items()}


def _number(value: Any) -> int | float:
    text = str(value)
    return float(text) if "." in text else int(text)


def _resolved(resource_map: ResourceMap, parameter_type: str, value: Any) -> Any:
    if parameter_type.startswith(SSM_TYPE):
        return resource_map.parse_ssm_parameter(value, parameter_type)
    if parameter_type == "Number":
        return _number(value)
    if parameter_type != "CommaDelimitedList" and not parameter_type.startswith("List<"):
        return value
    parts = [part.strip() for part in str(value).split(",")]
    return [_number(part) for part in parts] if parameter_type == "List<Number>" else parts


@replaces(ResourceMap)
def parse_ssm_parameter(self: ResourceMap, value: str, value_type: str) -> Any:
    """moto answers 500 when the SSM parameter does not exist; AWS refuses the template with this message."""
    parameter = ssm_backends[self._account_id][self._region_name].get_parameter(value)
    if parameter is None:
        raise ValidationError(message=f"Unable to fetch parameters [{value}] from parameter store for this account.")
    return parameter.value.split(",") if "<List" in value_type or "List<" in value_type else parameter.value


@replaces(ResourceMap)
def load_parameters(self: ResourceMap) -> None:
    """moto looks up the default even if a value is given, and forgets the given value of an SSM parameter."""
    slots = self._template.get("Parameters") or {}
    self.no_echo_parameter_keys = [name for name, slot in slots.items() if slot.get("NoEcho") in (True, "true")]
    for name, value in given_parameters(self).items():
        if value is None:
            raise MissingParameterError(name)
        self.resolved_parameters[name] = _resolved(self, slots[name].get("Type", "String"), value)
    self._parsed_resources.update(self.resolved_parameters)


def _stack_parameters(self: Stack) -> dict[str, Any]:
    """What `UsePreviousValue` repeats. moto repeats the resolved value, looks that up in SSM and answers 500; AWS repeats the given one."""
    return given_parameters(self.resource_map)


def _parameter_list(self: Stack) -> list[dict[str, Any]]:
    """DescribeStacks: moto shows an SSM parameter's resolved value as the value, and NoEcho values openly."""
    listed = []
    for name, value in given_parameters(self.resource_map).items():
        shown = "****" if name in self.resource_map.no_echo_parameter_keys else str(value)
        entry = {"ParameterKey": name, "ParameterValue": shown}
        if self.resource_map._template["Parameters"][name].get("Type", "").startswith(SSM_TYPE):
            resolved = self.resource_map.resolved_parameters[name]
            entry["ResolvedValue"] = ",".join(resolved) if isinstance(resolved, list) else str(resolved)
        listed.append(entry)
    return listed


Stack.stack_parameters = property(_stack_parameters)
Stack.parameter_list = property(_parameter_list)
