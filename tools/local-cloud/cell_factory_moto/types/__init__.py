"""CloudFormation types: models for those that moto lacks, and what moto's own models leave out. A module per service, or part of one."""

import importlib
import pkgutil

from ..resources import complete_attributes


def load_types() -> None:
    """Imports every module of this package: each makes its types known."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    complete_attributes()
