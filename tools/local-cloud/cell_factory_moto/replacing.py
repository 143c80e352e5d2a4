"""How a mend is put into moto."""

import sys
from collections.abc import Callable
from typing import Any


def replaces(owner: Any, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function takes the place of `owner`'s attribute of the same name (or of `name`)."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(owner, name or function.__name__, function)
        return function

    return put


def replace_imports(package: str, name: str, old: Any, new: Any) -> None:
    """Modules of `package` that did `from ... import name` hold the old function: give them the new one."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(package) and getattr(module, name, None) is old:
            setattr(module, name, new)
