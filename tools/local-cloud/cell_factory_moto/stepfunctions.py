"""Step Functions: executions that can be repeated and stopped, act in the right account, and read paths as AWS does."""

import copy
import json
import re
import threading
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jsonpath_ng import JSONPath
from jsonpath_ng.ext.parser import ExtendedJsonPathParser
from jsonpath_ng.parser import JsonPathParser
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client, json_path
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from . import distributed, pace, stopping  # noqa: F401
from .clients import assumed_role, new_client
from .replacing import replace_imports, replaces

PARSER = "moto.stepfunctions.parser"


_describe_execution = StepFunctionResponse.describe_execution
_start_execution = StepFunctionsParserBackend.start_execution
_parse = AmazonStateLanguageParser.parse


@replaces(StateMachine)
def __deepcopy__(self: StateMachine, memo: dict[int, Any]) -> StateMachine:
    """moto copies the machine for each execution, with the threads of past executions, which fails. The copy needs the definition only."""
    clone = copy.copy(self)
    memo[id(self)] = clone
    clone.executions = []
    return clone


@replaces(StepFunctionResponse)
def describe_execution(self: StepFunctionResponse) -> Any:
    """moto gives an output that is text as it is, AWS as JSON, with its quotes; and moto forgets when an execution timed out."""
    answer = _describe_execution(self)
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    if "output" in answer.result and isinstance(execution.output, str):
        answer.result["output"] = json.dumps(execution.output)
    if execution.stop_date is not None:
        answer.result["stopDate"] = execution.stop_date
    return answer


# Two requests that start the same execution: one starts it, the other finds it.
_starting = threading.Lock()


@replaces(StepFunctionsParserBackend)
def start_execution(self: StepFunctionsParserBackend, state_machine_arn: str, name: str | None = None, *rest: Any, **named: Any) -> Any:
    """moto calls every execution without a name "None", of which there can be one; AWS makes a name up."""
    with _starting:
        return _start_execution(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **named)


@lru_cache(maxsize=256)
def parse_definition(definition: str) -> Any:
    """moto parses the definition for every execution, which takes longer than a short one runs; what is parsed holds no state.
    It also refuses percentages without a decimal point."""
    return _parse(re.sub(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])', r"\1.0", definition))


AmazonStateLanguageParser.parse = staticmethod(parse_definition)


@lru_cache(maxsize=1024)
def _client_as(role_arn: str, region: str, service: str) -> Any:
    return new_client(service, region, **assumed_role(role_arn, region, "states"))


def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """moto calls every service with fixed keys, that is in its default account. AWS calls as the task's `Credentials.RoleArn`,
    or else as the state machine's own role: both say which account. Keys of this cloud are good for ever, so a client is made once."""
    return _client_as(state_credentials.role_arn, region, service)


def _kept(parser: JsonPathParser) -> Callable[[str], JSONPath]:
    """Making a parser takes longer than a state does, and moto makes one for each path of each state."""
    lock = threading.Lock()

    @lru_cache(maxsize=4096)
    def parse(path: str) -> JSONPath:
        with lock:
            return parser.parse(path)

    return parse


_path = _kept(ExtendedJsonPathParser())
result_path.parse = _kept(JsonPathParser())


def extract_json(path: str, data: Any) -> Any:
    """moto answers a list for any path with an index in it, so a Choice on `$.Stacks[0].StackStatus` never matches.
    AWS answers the value itself unless the path can select several (wildcard, slice, filter, descent)."""
    matches = _path(path).find(data)
    several = re.search(r"\*|\.\.|\[\?|\[[^\]]*[:,]", path) is not None
    if not matches and not several:
        raise json_path.NoSuchJsonPathError(json_path=path, data=data)
    ends_with_index = re.search(r"\[\d+\]$", path) is not None
    if several and not (ends_with_index and len(matches) == 1):
        return [match.value for match in matches]
    return matches[0].value


# moto names an SDK integration's errors after the lower-case service; AWS as its Java SDK does (CloudFormation.CloudFormationException).
state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(
    {
        "cloudformation": "CloudFormation",
        "cloudwatch": "CloudWatch",
        "codepipeline": "CodePipeline",
        "ec2": "Ec2",
        "ecs": "Ecs",
        "elasticache": "ElastiCache",
        "iam": "Iam",
        "lambda": "Lambda",
        "organizations": "Organizations",
        "rds": "Rds",
        "s3": "S3",
        "secretsmanager": "SecretsManager",
        "sns": "Sns",
        "sqs": "Sqs",
        "ssm": "Ssm",
        "ssoadmin": "SsoAdmin",
        "sts": "Sts",
    }
)

_boto_client_for, _extract_json = boto_client.boto_client_for, json_path.extract_json
replace_imports(PARSER, "boto_client_for", _boto_client_for, boto_client_for)
replace_imports(PARSER, "extract_json", _extract_json, extract_json)
