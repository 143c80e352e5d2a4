"""CloudWatch Synthetics: a canary that is not there is not found, instead of an error of the server."""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.synthetics.models import Canary, SyntheticsBackend

from .replacing import replaces


class CanaryNotFound(JsonRESTError):
    code = 404


@replaces(SyntheticsBackend)
def get_canary(self: SyntheticsBackend, name: str, dry_run_id: Any = None) -> Canary:
    """GetCanary."""
    if name not in self.canaries:
        raise CanaryNotFound("ResourceNotFoundException", f"Canary {name} not found")
    return self.canaries[name]
