"""The reference page of tables and collections, from SQLAlchemy's metadata and the index functions."""

import importlib
import inspect
from typing import Any

from reference_api import cell, table
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql

_MONGO = ("courses", "chat", "analytics")


def tables_of(service: str) -> MetaData:
    metadata: MetaData = importlib.import_module(f"{service}_service.tables").metadata
    return metadata


def tables_page(services: tuple[str, ...]) -> str:
    lines = [
        "# Tables and collections",
        "",
        (
            "Each service owns one schema of the PostgreSQL database and, where it uses MongoDB, one database"
            " there. No service reads another's."
        ),
        "",
    ]
    for service in services:
        documented = _documented(service)
        lines += [f"## {service}-service, PostgreSQL schema `{service}`", ""]
        for found in sorted(tables_of(service).tables.values(), key=lambda each: each.name):
            lines += [f"### `{service}.{found.name}`", "", *_table(found, documented.get(found.name, ""))]
        if service in _MONGO:
            lines += [f"## {service}-service, MongoDB", "", *_collections(service)]
    return "\n".join(lines) + "\n"


def _documented(service: str) -> dict[str, str]:
    """The docstrings of the mapped classes, by table name."""
    module = importlib.import_module(f"{service}_service.tables")
    return {
        mapper.local_table.name: (vars(mapper.class_).get("__doc__") or "").strip()
        for mapper in module.Base.registry.mappers
    }


def _table(found: Table, documentation: str) -> list[str]:
    rows = [
        (f"`{column.name}`", f"`{_type(column)}`", _keys(column), cell(column.comment or ""))
        for column in found.columns
    ]
    introduction = [" ".join(documentation.split()), ""] if documentation else []
    return introduction + table(("Column", "Type", "Key", ""), rows)


def _type(column: Column[Any]) -> str:
    kind = column.type.compile(postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    return f"{kind}{'' if column.nullable else ' not null'}"


def _keys(column: Column[Any]) -> str:
    keys = ["primary"] if column.primary_key else []
    keys += [f"→ `{key.column.table.name}.{key.column.name}`" for key in column.foreign_keys]
    return ", ".join(keys)


class _Recorder:
    """Stands for MongoDB: remembers which collections get which indexes."""

    def __init__(self) -> None:
        self.indexes: dict[str, list[str]] = {}

    def collection(self, name: str) -> "_RecordedCollection":
        return _RecordedCollection(self.indexes.setdefault(name, []))


class _RecordedCollection:
    def __init__(self, indexes: list[str]) -> None:
        self._indexes = indexes

    def create_index(self, keys: Any, *, name: str = "", unique: bool = False, **_: Any) -> None:
        fields = keys if isinstance(keys, str) else ", ".join(field for field, _ in keys)
        self._indexes.append(f"`{name or fields}` on {fields}{', unique' if unique else ''}")

    def create_indexes(self, models: list[Any]) -> None:
        for model in models:
            described = model.document
            self.create_index(
                list(described["key"].items()), name=described["name"], unique=described.get("unique", False)
            )


def _collections(service: str) -> list[str]:
    module = importlib.import_module(f"{service}_service.indexes")
    recorder = _Recorder()
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__ and not name.startswith("_"):
            function(recorder)
    lines: list[str] = []
    for collection, indexes in sorted(recorder.indexes.items()):
        lines += [f"### `{collection}`", "", "Indexes:", "", *(f"- {index}" for index in indexes), ""]
    return lines
