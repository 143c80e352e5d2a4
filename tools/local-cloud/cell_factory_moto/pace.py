"""Wait states of Step Functions at another pace: for tests of what happens after a wait, and not of how long it is."""

import time

from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment

from .replacing import replaces

_factor = 1.0


def set_factor(factor: float) -> None:
    """From now on, Wait states last so many times as long as they say."""
    global _factor
    _factor = factor


@replaces(WaitFunction)
def _wait_interval(self: WaitFunction, env: Environment, wait_seconds: float) -> None:
    """moto counts whole seconds only, and waits once more when it was woken a moment too early."""
    deadline = time.monotonic() + wait_seconds * _factor
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(left)
