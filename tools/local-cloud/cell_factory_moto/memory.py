"""What moto works out anew for each request, session or state, and what never changes: worked out once. Nothing here changes an answer."""

from collections.abc import Generator
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader
from moto.core import responses
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from .replacing import replaces

_load_file = JSONFileLoader.load_file
_backend_for_host = DomainDispatcherApplication.get_backend_for_host
_possible_keys = XFormedAttributePicker.get_possible_keys


@cache
def _contents(path: str) -> Any:
    return _load_file(JSONFileLoader(), path)


@replaces(JSONFileLoader)
def load_file(self: JSONFileLoader, file_path: str) -> Any:
    """botocore decodes a service's model, megabytes of JSON, for each session, and moto makes many sessions."""
    return _contents(file_path)


@replaces(DomainDispatcherApplication)
@cache
def get_backend_for_host(self: DomainDispatcherApplication, host: str | None) -> Any:
    """moto looks for two hundred folders, then tries two hundred patterns, for each request."""
    return _backend_for_host(self, host)


# moto asks inspect for all methods of the service's class, for each request.
responses.method_names_from_class = cache(responses.method_names_from_class)

# By class of the value and by shape. Shapes belong to the services' models, which are kept as well.
_keys: dict[tuple[Any, ...], tuple[str, ...]] = {}


@replaces(XFormedAttributePicker)
def get_possible_keys(self: XFormedAttributePicker, context: AttributePickerContext) -> Generator[str]:
    """The names under which a member may stand in a value follow from the value's class and the member's shape."""
    kind = (type(context.obj), context.key, context.shape)
    found = _keys.get(kind)
    if found is None:
        found = _keys[kind] = tuple(dict.fromkeys(_possible_keys(self, context)))
    yield from found
