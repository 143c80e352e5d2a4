"""
CodePipeline's transitions: moto has pipelines and runs none, so that each is idle. What it lacks are the calls that look at
a pipeline's stages, and that close and open the way into one.
"""

import json
from typing import Any

from moto.codepipeline.models import CodePipelineBackend
from moto.codepipeline.responses import CodePipelineResponse

from .replacing import replaces


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
