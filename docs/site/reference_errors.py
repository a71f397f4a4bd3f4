"""The reference page of error codes, from the error classes of the kit and the services."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator

from reference_api import cell, table

from cogniflow_kit.errors import ServiceError

_INTRODUCTION = """\
# Error codes

Every error response is a problem (RFC 9457) of the media type `application/problem+json`: `status`, a stable
`code`, `title`, `detail`, `request_id`, and `errors` with one entry for each refused field. Clients decide by
`code`; `detail` is for people and may change.

Two codes come from no class: `validation_failed` (422, a request that does not fit its description) and the
name of the status for errors of the framework, such as `method_not_allowed`.

"""
_SKIPPED = (".migrations", ".__main__", ".main")


def error_classes(services: tuple[str, ...]) -> list[type[ServiceError]]:
    """Every error class of the kit and of the services that is answered with a problem."""
    for package in ("cogniflow_kit", *(f"{service}_service" for service in services)):
        _import_all(package)
    return sorted(set(_below(ServiceError)), key=lambda found: (found.status, found.code, found.__module__))


def _import_all(package: str) -> None:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not any(part in module.name for part in _SKIPPED):
            importlib.import_module(module.name)


def _below(base: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for found in base.__subclasses__():
        if not found.__module__.startswith(("test", "conftest")):
            yield found
            yield from _below(found)


def errors_page(services: tuple[str, ...]) -> str:
    rows = [
        (str(found.status), f"`{found.code}`", _source(found), cell(message(found)))
        for found in error_classes(services)
    ]
    return (
        _INTRODUCTION + "\n".join(table(("Status", "Code", "Raised in", "Message or meaning"), rows)) + "\n"
    )


def _source(found: type[ServiceError]) -> str:
    service, _, rest = found.__module__.partition(".")
    return f"{service.removesuffix('_service').removeprefix('cogniflow_')} `{rest}.{found.__name__}`"


def message(found: type[ServiceError]) -> str:
    """The text in the class's own constructor, else the first sentence of its docstring."""
    if "__init__" in vars(found):
        tree = ast.parse(textwrap.dedent(inspect.getsource(found)))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "super().__init__" and call.args and (text := _text(call.args[0])):
                return text
    documented = (vars(found).get("__doc__") or "").strip()
    return documented.split("\n\n")[0]


def _text(argument: ast.expr) -> str:
    """A constant or formatted string, with … for each value that is put in."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    if isinstance(argument, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in argument.values)
    return ""
