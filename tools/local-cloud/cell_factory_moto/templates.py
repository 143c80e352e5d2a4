"""Templates: from S3 in any of its ways to write an address, read quickly, and given back as they were submitted."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from moto.cloudformation import responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.s3.models import s3_backends

from .changesets import find_change_set
from .replacing import replaces

_parse_template = Stack.parse_template


def parse_template(template: str) -> dict[str, Any]:
    """moto reads JSON as YAML, which takes a hundred times as long."""
    try:
        return json.loads(template)
    except ValueError:
        return _parse_template(template)


def _parse_own_template(self: ChangeSet) -> None:
    self.template_dict = parse_template(self.template)


Stack.parse_template = staticmethod(parse_template)
ChangeSet._parse_template = _parse_own_template


def _bucket_and_key(host: str, path: str) -> tuple[str, str]:
    """The bucket is the first part of the path or of the host's name."""
    if host == "localhost" or re.match(r"s3[.-].*amazonaws\.com", host):
        bucket, _, key = path.partition("/")
        return bucket, key
    return re.sub(r"\.(localhost|s3[.-].*amazonaws\.com(\.cn)?)$", "", host), path


@replaces(responses)
def get_stack_from_s3_url(template_url: str, account_id: str, partition: str) -> str:
    """moto ignores versions, and answers 500 when there is no such object."""
    url = urlparse(template_url)
    bucket, key = _bucket_and_key(url.hostname or "", unquote(url.path).lstrip("/"))
    version = parse_qs(url.query).get("versionId", [None])[0]
    found = s3_backends[account_id][partition].get_object(bucket, key, version_id=version)
    if found is None:
        raise ValidationError(message="S3 error: The specified key does not exist.")
    return found.value.decode()


@replaces(CloudFormationResponse)
def get_template(self: CloudFormationResponse) -> ActionResult:
    """moto ignores the change set. There are no macros here, so a template is the same in both stages."""
    name, stack_name = self._get_param("ChangeSetName"), self._get_param("StackName")
    backend = self.cloudformation_backend
    template = find_change_set(backend, name, stack_name).template if name else backend.get_stack(stack_name).template
    return ActionResult({"TemplateBody": template, "StagesAvailable": ["Original", "Processed"]})
