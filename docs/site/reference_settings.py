"""The reference page of settings: environment variables, and what admins change at run time."""

import importlib
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from reference_api import cell, table

from chat_service.platform.settings import definitions
from chat_service.platform.settings.definitions import Setting
from cogniflow_kit.settings import ServiceSettings

_INTRODUCTION = """\
# Settings

## Environment variables

Each service reads its variables once, at start. `scripts/up` sets them; with Docker they come from
`docker-compose.yml`, which takes its values from `.env`. A variable without a default is required.

### All services

"""


def settings_page(services: tuple[str, ...], env_example: Path) -> str:
    explained = comments(env_example.read_text())
    lines = [
        *_variables(ServiceSettings.model_fields, explained),
    ]
    for service in services:
        settings = importlib.import_module(f"{service}_service.settings").Settings
        own = {
            name: field
            for name, field in settings.model_fields.items()
            if name not in ServiceSettings.model_fields
        }
        lines += [f"### {settings.service}", "", *_variables(own, explained)]
    lines += [
        "## Docker",
        "",
        "`.env.example` has every variable of the Docker stack, with its value for development:",
        "",
        *table(
            ("Variable", "Development value", "Meaning"),
            [(f"`{name}`", _code(value), cell(meaning)) for name, (value, meaning) in explained.items()],
        ),
        "## Changed at run time",
        "",
        "Admins change these with `PUT /api/settings/{key}`; processes read a change within five seconds.",
        "",
        *table(
            ("Key", "Type", "Default", "Meaning"),
            [
                (f"`{found.key}`", found.type, _code(_shown(found)), cell(found.description))
                for found in runtime_settings()
            ],
        ),
    ]
    return _INTRODUCTION + "\n".join(lines) + "\n"


def runtime_settings() -> list[Setting[Any]]:
    found = [value for value in vars(definitions).values() if isinstance(value, Setting)]
    return sorted(found, key=lambda setting: setting.key)


def _shown(setting: Setting[Any]) -> str:
    default = setting.default
    return "" if default is None or isinstance(default, SecretStr) else str(setting.plain(default))


def comments(text: str) -> dict[str, tuple[str, str]]:
    """Each variable of an env file: its value and the comment before it."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith("# ---") or not line:
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            name, value = line.split("=", 1)
            found[name] = (value, " ".join(comment))
            comment = []
    return found


def _variables(fields: dict[str, FieldInfo], explained: dict[str, tuple[str, str]]) -> list[str]:
    rows = [
        (
            f"`{name.upper()}`",
            _type(field.annotation),
            "" if field.is_required() else _code(_default(field)),
            cell(explained.get(name.upper(), ("", ""))[1]),
        )
        for name, field in fields.items()
    ]
    return table(("Variable", "Type", "Default", "Meaning"), rows)


def _type(annotation: Any) -> str:
    """A type in a few words, such as "int" or "one of true, false"."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return f"one of {', '.join(arguments)}"
    if arguments:
        return " or ".join(_type(found) for found in arguments if found is not NoneType)
    return "secret" if annotation is SecretStr else str(annotation.__name__).lower()


def _default(field: FieldInfo) -> str:
    value = field.default
    return value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)


def _code(value: str) -> str:
    return f"`{value}`" if value else "empty"
