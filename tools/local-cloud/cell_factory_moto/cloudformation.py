"""All mends of CloudFormation. Importing this module puts them in."""

from . import changesets, intrinsics, operations, parameters, resources, stack_calls, templates, termination  # noqa: F401
from .types import load_types

load_types()
