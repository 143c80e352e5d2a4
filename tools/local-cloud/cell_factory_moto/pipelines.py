"""
CodePipeline's transitions and executions: moto has pipelines and runs none, so that each is idle. What it lacks are the calls that
look at a pipeline's stages, that close and open the way into one, and that say how an execution is. There are those executions that
somebody has made up. Source: GetPipelineExecution and PipelineExecution, AWS CodePipeline API Reference, read 2026-12-01.
"""

import json
from typing import Any

from moto.codepipeline.models import CodePipelineBackend
from moto.codepipeline.responses import CodePipelineResponse

from moto.core.exceptions import JsonRESTError

from .replacing import replaces


STATUSES = ("Cancelled", "InProgress", "Stopped", "Stopping", "Succeeded", "Superseded", "Failed")

# By account, pipeline and id of the execution.
_executions: dict[tuple[str, str, str], str] = {}


class PipelineExecutionNotFoundException(JsonRESTError):
    code = 400

    def __init__(self, name: str, execution: str):
        super().__init__("PipelineExecutionNotFoundException", f"The pipeline execution '{execution}' for pipeline '{name}' does not exist")


def change(wanted: dict[str, Any]) -> None:
    """Has an execution of a pipeline be so. @raises ValueError if it makes no sense"""
    account, name, execution, status = (wanted.get(key) for key in ("account", "pipeline", "execution", "status"))
    if not (isinstance(account, str) and isinstance(name, str) and isinstance(execution, str) and status in STATUSES):
        raise ValueError(f"pipelines needs an account, a pipeline, an execution, and a status of {', '.join(STATUSES)}")
    _executions[(account, name, execution)] = status


def _closed(backend: CodePipelineBackend) -> dict[tuple[str, str], str]:
    """Reasons by pipeline and stage."""
    return vars(backend).setdefault("closed_transitions", {})


def _stage(response: CodePipelineResponse) -> tuple[str, str]:
    name = response._get_param("pipelineName")
    response.codepipeline_backend.get_pipeline(name)  # or PipelineNotFoundException
    return name, response._get_param("stageName")


@replaces(CodePipelineResponse)
def get_pipeline_state(self: CodePipelineResponse) -> str:
    name = self._get_param("name")
    pipeline, _ = self.codepipeline_backend.get_pipeline(name)
    closed = _closed(self.codepipeline_backend)
    stages: list[dict[str, Any]] = []
    for stage in pipeline["stages"]:
        reason = closed.get((name, stage["name"]))
        state = {"enabled": True} if reason is None else {"enabled": False, "disabledReason": reason}
        stages.append({"stageName": stage["name"], "inboundTransitionState": state, "actionStates": []})
    return json.dumps({"pipelineName": name, "pipelineVersion": pipeline["version"], "stageStates": stages})


@replaces(CodePipelineResponse)
def disable_stage_transition(self: CodePipelineResponse) -> str:
    _closed(self.codepipeline_backend)[_stage(self)] = self._get_param("reason")
    return ""


@replaces(CodePipelineResponse)
def enable_stage_transition(self: CodePipelineResponse) -> str:
    _closed(self.codepipeline_backend).pop(_stage(self), None)
    return ""


@replaces(CodePipelineResponse)
def get_pipeline_execution(self: CodePipelineResponse) -> str:
    name, execution = self._get_param("pipelineName"), self._get_param("pipelineExecutionId")
    pipeline, _ = self.codepipeline_backend.get_pipeline(name)
    status = _executions.get((self.current_account, name, execution))
    if status is None:
        raise PipelineExecutionNotFoundException(name, execution)
    known = {"pipelineName": name, "pipelineVersion": pipeline["version"], "pipelineExecutionId": execution, "status": status}
    return json.dumps({"pipelineExecution": known})
