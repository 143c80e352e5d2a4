"""Pipelines, builds, connections, state machines and rules."""

import json
import re
from typing import Any
from uuid import uuid4

from moto.events.models import events_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.utilities.utils import get_partition

from ..model import EXISTS, ApiModel, Model, at, known, model, tag_list


@model
class Pipeline(Model):
    """moto has the API, but no CloudFormation type. It runs nothing."""

    type = "AWS::CodePipeline::Pipeline"
    name_property = "Name"
    attributes = ("Version",)

    def create(self) -> None:
        self.call("codepipeline", "CreatePipeline", pipeline=self._structure(), tags=tag_list(self.properties))

    def update(self, old: dict[str, Any]) -> None:
        self.call("codepipeline", "UpdatePipeline", pipeline=self._structure())
        arn = f"arn:{get_partition(self.region)}:codepipeline:{self.region}:{self.account_id}:{self.name}"
        self.retag("codepipeline", old, resourceArn=arn)

    def delete(self) -> None:
        self.call("codepipeline", "DeletePipeline", name=self.name)

    def attribute(self, name: str) -> str:
        return str(self.call("codepipeline", "GetPipeline", name=self.name)["pipeline"]["version"])

    def _structure(self) -> dict[str, Any]:
        stores = {each["Region"]: each["ArtifactStore"] for each in self.properties.get("ArtifactStores", [])}
        return {**self.properties, "Name": self.name, **({"ArtifactStores": stores} if stores else {})}


@model
class BuildProject(ApiModel):
    """moto has the API, but no CloudFormation type."""

    type = "AWS::CodeBuild::Project"
    name_property = "Name"
    attributes = ("Arn", "Id")
    service, creates, deletes, id_parameter = "codebuild", "CreateProject", "DeleteProject", "name"

    def update(self, old: dict[str, Any]) -> None:
        """moto has no UpdateProject."""
        self.delete()
        self.create()

    def parameters(self) -> dict[str, Any]:
        """moto wants a location even from what has none, such as a pipeline."""
        parameters = super().parameters()
        source, artifacts = dict(parameters["Source"]), dict(parameters["Artifacts"])
        source.setdefault("Location", source["Type"])
        if artifacts["Type"] != "NO_ARTIFACTS":
            artifacts.setdefault("Location", artifacts["Type"])
        return {**parameters, "Source": source, "Artifacts": artifacts}

    def attribute(self, name: str) -> str:
        return self.name if name == "Id" else self.answer["project"]["arn"]


@model
class Connection(Model):
    """moto has no API for connections. One is there, and waits for somebody to complete it in the console, which nobody can here."""

    type = "AWS::CodeConnections::Connection"
    name_property = "ConnectionName"
    replaced_by = ("ConnectionName", "HostArn", "ProviderType")
    attributes = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")

    def create(self) -> None:
        partition = get_partition(self.region)
        self.physical_resource_id = f"arn:{partition}:codeconnections:{self.region}:{self.account_id}:connection/{uuid4()}"

    def attribute(self, name: str) -> str:
        return {"ConnectionStatus": "PENDING", "OwnerAccountId": self.account_id}.get(name, self.physical_resource_id)


@model
class StateMachine(Model):
    """moto creates a stack's state machines where the API cannot see them once executions run, and knows one way to write definitions."""

    type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    replaced_by = ("StateMachineType",)
    attributes = ("Arn", "Name", "StateMachineRevisionId")

    def create(self) -> None:
        self.name = self.name if "StateMachineName" in self.properties else self.name[-80:].lstrip("-")
        own = {"name": self.name, "definition": self._definition(), "type": self.properties.get("StateMachineType", "STANDARD")}
        machine = {**{key: value for key, value in self.properties.items() if key != "Definition"}, **own}
        self.physical_resource_id = self.call("stepfunctions", "CreateStateMachine", **machine)["stateMachineArn"]

    def update(self, old: dict[str, Any]) -> None:
        machine = {key: value for key, value in self.properties.items() if key not in ("Definition", "Tags")}
        self.call(
            "stepfunctions", "UpdateStateMachine", **machine, definition=self._definition(), stateMachineArn=self.physical_resource_id
        )
        self.retag("stepfunctions", old, resourceArn=self.physical_resource_id)

    def delete(self) -> None:
        self.call("stepfunctions", "DeleteStateMachine", stateMachineArn=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        return {"Arn": self.physical_resource_id, "Name": self.name}.get(name, "INITIAL")

    def _definition(self) -> str:
        text = self.properties.get("DefinitionString")
        if text is None and "Definition" in self.properties:
            text = json.dumps(self.properties["Definition"])
        if text is None:
            where = self.properties["DefinitionS3Location"]
            version = {"VersionId": where["Version"]} if "Version" in where else {}
            text = self.call("s3", "GetObject", Bucket=where["Bucket"], Key=where["Key"], **version)["Body"].read().decode()
        substitutions = self.properties.get("DefinitionSubstitutions", {})
        return re.sub(r"\$\{([A-Za-z0-9_-]+)\}", lambda found: str(substitutions.get(found[1], found[0])), text)


@known(EXISTS, StateMachine.type)
def state_machine_exists(name: str, account_id: str, region: str) -> bool:
    return any(machine.name == name for machine in stepfunctions_parser_backends[account_id][region].state_machines)


@model
class Rule(Model):
    """moto deletes and creates a changed rule."""

    type = "AWS::Events::Rule"
    name_property = "Name"
    replaced_by = ("EventBusName",)
    attributes = ("Arn",)

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name if "Name" in self.properties else self.name[-64:].lstrip("-")
        self.answer = self.call("events", "PutRule", **{**self.properties, "Name": self.name, "Tags": tag_list(self.properties)})
        self._aim()

    def update(self, old: dict[str, Any]) -> None:
        self.call("events", "PutRule", **{**self.properties, "Name": self.name, "Tags": tag_list(self.properties)})
        kept = {target["Id"] for target in self.properties.get("Targets", [])}
        self._miss([target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept])
        self._aim()

    def delete(self) -> None:
        self._miss([target["Id"] for target in self.properties.get("Targets", [])])
        self.call("events", "DeleteRule", Name=self.name, **self._bus())

    def attribute(self, name: str) -> str:
        return self.answer["RuleArn"]

    def _bus(self) -> dict[str, str]:
        return {"EventBusName": self.properties["EventBusName"]} if "EventBusName" in self.properties else {}

    def _aim(self) -> None:
        if self.properties.get("Targets"):
            self.call("events", "PutTargets", Rule=self.name, Targets=self.properties["Targets"], **self._bus())

    def _miss(self, ids: list[str]) -> None:
        if ids:
            self.call("events", "RemoveTargets", Rule=self.name, Ids=ids, **self._bus())


class EventsModel(ApiModel):
    """A type whose API names its resource, and gives an ARN that nothing but GetAtt asks for."""

    name_property = "Name"
    attributes = ("Arn",)
    service, id_parameter, arn_path = "events", "Name", ""

    def attribute(self, name: str) -> str:
        return str(at(self.answer, self.arn_path))


@model
class EventBus(EventsModel):
    """moto's own has no id that others could name it by."""

    type = "AWS::Events::EventBus"
    attributes = ("Arn", "Name")
    creates, deletes, arn_path = "CreateEventBus", "DeleteEventBus", "EventBusArn"

    def attribute(self, name: str) -> str:
        return self.name if name == "Name" else super().attribute(name)

    def update(self, old: dict[str, Any]) -> None:
        """moto has no UpdateEventBus; only the description can change."""


@model
class EventConnection(EventsModel):
    """moto has the API, but no CloudFormation type."""

    type = "AWS::Events::Connection"
    creates, updates, deletes, arn_path = "CreateConnection", "UpdateConnection", "DeleteConnection", "ConnectionArn"


@model
class ApiDestination(EventsModel):
    """moto has the API, but no CloudFormation type."""

    type = "AWS::Events::ApiDestination"
    creates, updates, deletes, arn_path = "CreateApiDestination", "UpdateApiDestination", "DeleteApiDestination", "ApiDestinationArn"


@known(EXISTS, Rule.type)
def rule_exists(name: str, account_id: str, region: str) -> bool:
    return any(name in bus.rules for bus in events_backends[account_id][region].event_buses.values())
