"""Lambda: functions of a Node.js runtime really run, as processes of this machine. moto wants Docker for it."""

import base64
import io
import json
import os
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.core.exceptions import ServiceException
from moto.settings import moto_server_port

from .clients import assumed_role
from .replacing import replaces
from .runners import RUNTIME, RunnerPool

# Lambda gives the end of the log with an answer, this many bytes of it.
LOG_TAIL = 4096

_unpacking = threading.Lock()

_pool = RunnerPool()


@dataclass
class Outcome:
    """What an invocation gave: the answer, or an error as Lambda words it, as JSON."""

    payload: str
    failed: bool
    log: str

    @property
    def message(self) -> str:
        return str(json.loads(self.payload).get("errorMessage"))


def _error(kind: str, message: str, output: str = "") -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}), True, output)


def runs(function: LambdaFunction) -> bool:
    """Whether the local cloud can run it."""
    return (function.run_time or "").startswith("nodejs")


def find(arn: str) -> LambdaFunction:
    """The function of an ARN, in whatever account."""
    _, _, _, region, account_id, _, name, *_ = arn.split(":")
    try:
        return lambda_backends[account_id][region].get_function(name)
    except UnknownFunctionException as error:
        raise ServiceException(f"Function not found: {arn}") from error


def _node_modules() -> Path | None:
    """The packages of the project, among which is the AWS SDK that Lambda's own runtime has."""
    return next((parent / "node_modules" for parent in RUNTIME.parents if (parent / "node_modules" / "@aws-sdk").is_dir()), None)


@cache
def _unpacked() -> tempfile.TemporaryDirectory[str]:
    """Where unpacked code is, by digest; gone when the server ends. Made when it is needed, by the process that needs it."""
    return tempfile.TemporaryDirectory(prefix="cell-factory-functions-", ignore_cleanup_errors=True)


def _folder(function: LambdaFunction) -> Path:
    """The function's code, unpacked. Beside it are the project's packages: there `require` and `import` find them."""
    place = Path(_unpacked().name) / function.code_digest.replace(":", "-")
    with _unpacking:
        if not place.exists():
            packages = _node_modules()
            zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(place / "task")
            if packages:
                (place / "node_modules").symlink_to(packages)
    return place / "task"


def _environment(function: LambdaFunction, folder: Path) -> dict[str, str]:
    """What Lambda sets, with this server as AWS, and nothing of whoever started the local cloud. The role's keys come on top."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        **{name: str(value) for name, value in function.environment_vars.items()},
        "AWS_ENDPOINT_URL": f"http://localhost:{moto_server_port()}",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": function.handler,
    }


def _keys(function: LambdaFunction) -> dict[str, str]:
    """Keys of the function's role, as variables. In this cloud they are good for ever, so a process needs no others while it lives."""
    return {name.upper(): value for name, value in assumed_role(function.role, function.region, function.function_name).items()}


def run(function: LambdaFunction, event: str) -> Outcome:
    """Runs the function for one event."""
    outcome = _run(function, event)
    function.logs_backend.ensure_log_group(function.logs_group_name)
    function.save_logs(outcome.log)
    return outcome


def _run(function: LambdaFunction, event: str) -> Outcome:
    if not runs(function):
        return _error("LocalCloud.NotEmulated", f"the local cloud runs Node.js functions only, not {function.run_time}")
    folder = _folder(function)
    timeout = int(function.timeout)
    settings = {"arn": function.function_arn, "timeout": timeout}
    runner = _pool.take(function, folder, settings, _environment(function, folder), lambda: _keys(function))
    try:
        answer, log = runner.call(event, timeout)
    finally:
        _pool.give_back(runner)
    if answer is not None:
        return Outcome(answer["payload"], answer["failed"], log)
    if runner.was_late:
        return _error("Sandbox.Timedout", f"Task timed out after {timeout}.00 seconds", log)
    return _error("Runtime.ExitError", f"Runtime exited with error: exit status {runner.exit_status()}", log)


@replaces(LambdaFunction)
def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str:
    """Invoke. moto answers an asynchronous call when the function has ended, and takes a thrown error for a handled one."""
    event = body.decode() if isinstance(body, bytes) else body or "{}"
    kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "Event":
        threading.Thread(target=run, args=(self, event), daemon=True).start()
    if kind != "RequestResponse":
        return ""
    outcome = run(self, event)
    if outcome.failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    response_headers["x-amz-log-result"] = base64.b64encode(outcome.log.encode()[-LOG_TAIL:]).decode()
    return outcome.payload
