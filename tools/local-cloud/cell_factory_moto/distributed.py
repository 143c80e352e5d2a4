"""Step Functions: distributed maps. In moto items fail without consequence, share their parent's identity, and run on
when it is stopped."""

import threading
import uuid
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.item_reader_decl import ItemReader
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.asl.eval.states import ItemData, MapData

from .replacing import replaces

# Children that AWS runs at once when the state sets no limit is more than one machine has room for.
MOST_AT_ONCE = 100


def _failure(env: Environment, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(kind)
    details = EventDetails(mapRunFailedEventDetails=MapRunFailedEventDetails(error=name.error_name, cause=cause))
    return FailureEventException(FailureEvent(env, name, HistoryEventType.MapRunFailed, details))


_read_items = ItemReader._eval_body


@replaces(ItemReader)
def _eval_body(self: ItemReader, env: Environment) -> None:
    """moto calls an object that cannot be read States.Runtime."""
    try:
        _read_items(self, env)
    except (ClientError, ValueError) as error:
        raise _failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error


class MapRun:
    """One run of a distributed map: a few threads take items until there are none, or too many have failed."""

    def __init__(self, env: Environment, component: DistributedIterationComponent, eval_input: Any, items: list[Any]):
        self.env, self.component, self.eval_input, self.items = env, component, eval_input, items
        self.record = eval_input.map_run_record
        self.map_input = env.stack[-1] if env.stack else env.states.get_input()
        self.outputs: list[Any] = [None] * len(items)
        self.failed = 0
        self.next = 0
        self.frames: set[Environment] = set()
        self.lock = threading.Lock()

    def run(self) -> list[Any]:
        """The outputs in the order of the items; of a failed one, its error and cause."""
        at_once = self.record.max_concurrency or MOST_AT_ONCE
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(len(self.items), at_once))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed_too_many():
            raise _failure(
                self.env,
                StatesErrorNameType.StatesExceedToleratedFailureThreshold,
                "The specified tolerated failure threshold was exceeded",
            )
        return self.outputs

    def _work(self) -> None:
        while (index := self._take()) is not None:
            frame = self.env.open_inner_frame()
            with self.lock:
                self.frames.add(frame)
            try:
                self._run_item(frame, index)
            except Exception as error:
                self._note_failure(index, {"error": "States.Runtime", "cause": str(error)})
            finally:
                with self.lock:
                    self.frames.discard(frame)
                self.env.delete_frame(frame)

    def _take(self) -> int | None:
        with self.lock:
            if self.next == len(self.items) or not self.env.is_running() or self._failed_too_many():
                return None
            self.next += 1
            return self.next - 1

    def _run_item(self, frame: Environment, index: int) -> None:
        """Runs the item as an execution of its own: its context is not its parent's, but the ItemSelector sees the parent's."""
        for counts in (self.record.item_counter, self.record.execution_counter):
            counts.total.count()
        context = frame.states.context_object.context_object_data
        context["Map"] = MapData(Item=ItemData(Index=index, Value=self.items[index]))
        frame.states.reset(self._input(frame, index))
        parent, machine = context["Execution"], context["StateMachine"]
        label = self.record.map_state_machine_arn.rsplit("/", 1)[1]
        name = str(uuid.uuid4())
        arn = f"{machine['Id'].replace(':stateMachine:', ':execution:')}/{label}:{name}"
        context["Execution"] = {**parent, "Id": arn, "Name": name, "Input": frame.states.get_input()}
        context["StateMachine"] = {**machine, "Id": f"{machine['Id']}/{label}", "Name": f"{machine['Name']}/{label}"}
        self.component._get_iteration_program().eval(frame)
        state = frame.program_state()
        if isinstance(state, ProgramEnded):
            self.outputs[index] = frame.states.get_input()
            self._count("succeeded")
        elif isinstance(state, ProgramError):
            self._note_failure(index, state.error or {})
        else:
            self._count("aborted")

    def _input(self, frame: Environment, index: int) -> Any:
        selector = self.eval_input.item_selector or self.eval_input.parameters
        if not selector:
            return self.items[index]
        frame.states.reset(self.map_input)
        frame.stack.append(self.map_input)
        selector.eval(frame)
        return frame.stack.pop()

    def _note_failure(self, index: int, error: Any) -> None:
        self.outputs[index] = {"Error": error.get("error", ""), "Cause": error.get("cause", "")}
        self._count("failed")
        with self.lock:
            self.failed += 1
            running = list(self.frames) if self._failed_too_many() else []
        for frame in running:
            frame.set_stop(stop_date=None, error=None, cause=None)

    def _count(self, how: str) -> None:
        for counts in (self.record.item_counter, self.record.execution_counter):
            getattr(counts, how).count()

    def _failed_too_many(self) -> bool:
        """Of the two limits those count that the state sets; without any, no failure is tolerated."""
        count, percentage = self.eval_input.tolerated_failure_count, self.eval_input.tolerated_failure_percentage
        if not count and not percentage:
            return self.failed > 0
        return bool((count and self.failed > count) or (percentage and self.failed * 100 > percentage * len(self.items)))


@replaces(DistributedIterationComponent)
def _map_run(self: DistributedIterationComponent, env: Environment, eval_input: Any) -> None:
    """moto's own ignores the tolerated failures."""
    items = env.stack.pop()
    env.stack.append(MapRun(env, self, eval_input, items).run())
