"""Step Functions: an execution that is stopped is aborted at once, with what it waits for. moto calls it running until its threads end,
forgets why it was stopped, and lets retries and child executions go on."""

import threading
import time
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import StateTaskServiceSfn
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.responses import StepFunctionResponse, get_backend

from .clients import new_client
from .events import execution_changed
from .replacing import replaces

# How long an execution that has just been started may take until it can be stopped.
START_SECONDS = 10

# One of the two ends an execution: who stops it, or its last state.
_ending = threading.Lock()

_terminated = BaseExecutionWorkerCommunication.terminated
_set_error = Environment.set_error
_jitter = JitterStrategyDecl._eval_body
_normalise_parameters = StateTaskServiceSfn._normalise_parameters

# moto looks twice a second whether a child has ended.
state_task_service_callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = 0.1


@replaces(StepFunctionResponse)
def stop_execution(self: StepFunctionResponse) -> ActionResult:
    """StopExecution. One that has ended stays as it ended."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    execution.stop(utcnow(), self._get_param("error"), self._get_param("cause"))
    return ActionResult({"stopDate": execution.stop_date})


@replaces(Execution)
def stop(self: Execution, stop_date: Any, error: str | None, cause: str | None) -> None:
    """AWS answers when the execution counts as aborted, not when the function that it called has ended."""
    with _ending:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.ABORTED, stop_date, error, cause
    execution_changed(self)
    deadline = time.monotonic() + START_SECONDS
    while (self.exec_worker.env is None or self.exec_worker.env._program_state is None) and time.monotonic() < deadline:
        time.sleep(0.01)
    self.exec_worker.stop(stop_date=stop_date, error=error, cause=cause)


@replaces(BaseExecutionWorkerCommunication)
def terminated(self: BaseExecutionWorkerCommunication) -> None:
    """The end of the last state changes nothing any more."""
    with _ending:
        if self.execution.exec_status != ExecutionStatus.RUNNING:
            return
        _terminated(self)
    execution_changed(self.execution)


@replaces(Environment)
def set_error(self: Environment, error: Any) -> None:
    """What fails because its execution was stopped is no failure."""
    with self._state_mutex:
        if not isinstance(self._program_state, ProgramStopped):
            _set_error(self, error)


@replaces(JitterStrategyDecl)
def _eval_body(self: JitterStrategyDecl, env: Environment) -> None:
    """The last step of a retry's delay, which moto then sleeps through: waits here instead, where the end of the execution is heard."""
    _jitter(self, env)
    deadline = time.monotonic() + env.stack.pop()
    while env.is_running() and deadline > time.monotonic():
        env.program_state_event.wait(deadline - time.monotonic())
    env.stack.append(0)


# --- startExecution ---

_model = new_client("stepfunctions", "us-east-1").meta.service_model


def _named_as_in_api(self: StateTaskServiceSfn, parameters: dict[str, Any], service: str | None = None, action: str | None = None) -> None:
    """moto gives the API the parameters with the capitals that states have, and then misses the ones that the API wants."""
    _normalise_parameters(self, parameters, service, action)
    self._to_boto_request(parameters, _model.operation_model("StartExecution").input_shape)


def _named_as_in_states(
    self: StateTaskServiceSfn, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    """And the other way round, with times as numbers: moto leaves them as what no JSON can be made of."""
    operation = "DescribeExecution" if service_action_name == "describe_execution" or "status" in response else "StartExecution"
    self._from_boto_response(response, _model.operation_model(operation).output_shape)
    response.update({key: int(value.timestamp() * 1000) for key, value in response.items() if isinstance(value, datetime)})


def _stopping_child(build: Any) -> Any:
    """Decorator of what waits for a child execution: it ends with its parent, as on AWS. A child that runs is not asked how it is."""

    def builder(
        self: StateTaskServiceSfn, env: Environment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Any:
        arn = env.stack[-1]["ExecutionArn"]
        child = get_backend(arn.split(":")[4], resource_runtime_part.region).describe_execution(arn)
        ask = build(self, env, resource_runtime_part, normalised_parameters, state_credentials)

        def look() -> Any:
            return None if child.exec_status == ExecutionStatus.RUNNING else ask()

        def stop_child() -> None:
            client = boto_client.boto_client_for(
                region=resource_runtime_part.region, service="stepfunctions", state_credentials=state_credentials
            )
            client.stop_execution(executionArn=arn)

        look.stop_child = stop_child
        return look

    return builder


_eval_sync = StateTaskServiceSfn._eval_sync


def _eval_sync_or_stop(self: StateTaskServiceSfn, env: Environment, sync_resolver: Any, **options: Any) -> Any:
    outcome = _eval_sync(self, env=env, sync_resolver=sync_resolver, **options)
    if outcome is None and not env.is_running():
        sync_resolver.stop_child()
    return outcome


StateTaskServiceSfn._normalise_parameters = _named_as_in_api
StateTaskServiceSfn._normalise_response = _named_as_in_states
StateTaskServiceSfn._build_sync_resolver = _stopping_child(StateTaskServiceSfn._build_sync_resolver)
StateTaskServiceSfn._build_sync2_resolver = _stopping_child(StateTaskServiceSfn._build_sync2_resolver)
StateTaskServiceSfn._eval_sync = _eval_sync_or_stop
