"""The reference page of one service's HTTP API, from its OpenAPI description."""

import importlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from cogniflow_dev.testing.openapi import offline_settings

METHODS = ("get", "put", "post", "patch", "delete")


def openapi(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service, by its short name, made without any store."""
    settings = importlib.import_module(f"{service}_service.settings").Settings(**offline_settings(service))
    app = importlib.import_module(f"{service}_service.app").create_app(settings)
    described: dict[str, Any] = app.openapi()
    return described


def api_page(service: str) -> str:
    api = openapi(service)
    operations = sorted(_operations(api), key=lambda found: (found[0], found[1]))
    lines = [
        f"# API of {service}-service",
        "",
        api["info"].get("summary", ""),
        "",
        "Errors have the media type `application/problem+json`; [error codes](errors.md) lists the codes.",
        "",
    ]
    for tag, group in groupby(operations, key=lambda found: found[0]):
        lines += [f"## {tag.capitalize()}", ""]
        for _, path, method, operation in group:
            lines += _operation(method, path, operation)
    lines += ["## Schemas", ""]
    for name, schema in sorted(api["components"]["schemas"].items()):
        lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


def _operations(api: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, methods in api["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                yield (operation.get("tags") or ["other"])[0], path, method, operation


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", "", operation.get("description", operation["summary"]), ""]
    parameters = [
        (f"`{found['name']}`", found["in"], type_of(found["schema"]), _yes(found.get("required")))
        for found in operation.get("parameters", [])
    ]
    lines += table(("Parameter", "In", "Type", "Required"), parameters)
    if body := operation.get("requestBody"):
        lines += [f"Body: {_content(body)}", ""]
    answers = [
        (status, cell(answer.get("description", "")), _content(answer))
        for status, answer in sorted(operation["responses"].items())
    ]
    return lines + table(("Status", "Meaning", "Body"), answers)


def _content(described: dict[str, Any]) -> str:
    """Such as "`application/json`: [TokenPair](#tokenpair)"."""
    return ", ".join(
        f"`{media}`: {type_of(found['schema'])}" if found.get("schema") else f"`{media}`"
        for media, found in described.get("content", {}).items()
    )


def _schema(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", ""]
    if description := schema.get("description"):
        lines += [description, ""]
    required = schema.get("required", [])
    fields = [
        (f"`{field}`", type_of(found), _yes(field in required), cell(found.get("description", "")))
        for field, found in schema.get("properties", {}).items()
    ]
    if not fields:
        return [*lines, f"Type: {type_of(schema)}", ""]
    return lines + table(("Field", "Type", "Required", ""), fields)


def type_of(schema: dict[str, Any]) -> str:
    """A schema in a few words: its type, format, choices and limits, or a link to a named one."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(type_of(member) for member in schema[union])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    kind = str(schema.get("format") or schema.get("type", "any"))
    limits = [
        f"{words} {schema[name]}"
        for name, words in (
            ("minLength", "at least"),
            ("maxLength", "at most"),
            ("minimum", "from"),
            ("maximum", "to"),
        )
        if name in schema
    ]
    return f"{kind} ({', '.join(limits)})" if limits else kind


def _yes(required: object) -> str:
    return "yes" if required else ""


def cell(text: str) -> str:
    """Text that fits into one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """The lines of a Markdown table, and none where it would have no rows."""
    if not rows:
        return []
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
