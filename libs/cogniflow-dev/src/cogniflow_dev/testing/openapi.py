"""Property tests of a service's OpenAPI document with schemathesis."""

import os
import re
from typing import Any
from uuid import uuid4

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema

_VALID_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CLOSED_PORT = "127.0.0.1:9"
# The list of schemathesis lacks 413: a generated body may exceed the size limit before it is validated.
_REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
_CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": _REFUSALS}}}
)


def offline_settings(name: str) -> dict[str, Any]:
    """Keyword arguments for a service's Settings without reachable stores, to create its OpenAPI document."""
    secrets = {
        f"{who}_client_secret": "unused" for who in ("service", "users", "courses", "chat", "analytics")
    }
    return {
        "cogniflow_env": "test",
        "database_url": f"postgresql+psycopg2://{name}@{_CLOSED_PORT}/cogniflow",
        "mongo_url": f"mongodb://{_CLOSED_PORT}/cogniflow_{name}?connect=false",
        "redis_url": f"redis://{_CLOSED_PORT}/0",
        "key_encryption_secret": "unused",
        "settings_encryption_secret": "unused",
        "content_dir": ".",
        "erasure_ledger": "nowhere.jsonl",
        **secrets,
    }


def describe(app: FastAPI) -> BaseSchema:
    """The schema to parametrize tests with: one test per operation."""
    return schemathesis.openapi.from_dict(app.openapi(), config=_CONFIG)


def examples(default: int = 15) -> settings:
    """Number of examples per operation: SCHEMATHESIS_EXAMPLES, default 15."""
    return settings(
        max_examples=int(os.environ.get("SCHEMATHESIS_EXAMPLES", default)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def check(case: Case[Any], app: FastAPI, headers: dict[str, str]) -> None:
    """Call the operation and run all checks: no 5xx, only documented statuses and bodies."""
    case.operation.schema.app = app
    if _VALID_KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        # Examples share short keys, and a key used with another body is refused.
        case.headers["Idempotency-Key"] = str(uuid4())
    case.call_and_validate(headers=headers, app=app)
