"""Every route that the four services have, walked from the applications themselves."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from cogniflow_dev.testing.openapi import offline_settings

SERVICES = ("users", "courses", "chat", "analytics")


@dataclass(frozen=True, order=True)
class Operation:
    """A method on a path; `service` is `users` and so on. The path's converters are left out."""

    service: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.service}: {self.method} {self.path}"


def part(service: str, module: str) -> Any:
    """A module of a service, by the service's short name."""
    return importlib.import_module(f"{service}_service.{module}")


def operations_of(service: str, app: FastAPI) -> Iterator[Operation]:
    for route in iter_route_contexts(app.routes):
        methods = getattr(route, "methods", None)
        if methods is None:
            raise AssertionError(
                f"{service} has {route!r}: say in service_routes.py how to test such a route"
            )
        for method in sorted(methods - {"HEAD"}):
            yield Operation(service, method, route.path_format)


@cache
def every_operation() -> tuple[Operation, ...]:
    """Found in applications that reach no store: enough to know their routes."""
    found: list[Operation] = []
    for service in SERVICES:
        settings = part(service, "settings").Settings(**offline_settings(service))
        found += operations_of(service, part(service, "app").create_app(settings))
    return tuple(sorted(set(found)))
