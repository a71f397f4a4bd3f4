"""Property tests of a service's OpenAPI description with schemathesis."""

import os
import re
from typing import Any
from uuid import uuid4

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema

_VALID_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NOWHERE = "127.0.0.1:9"


def offline_settings(name: str) -> dict[str, Any]:
    """Keyword arguments for a service's Settings that reach no store: enough to describe its routes."""
    secrets = {
        f"{who}_client_secret": "unused" for who in ("service", "users", "courses", "chat", "analytics")
    }
    return {
        "cogniflow_env": "test",
        "database_url": f"postgresql+psycopg2://{name}@{_NOWHERE}/cogniflow",
        "mongo_url": f"mongodb://{_NOWHERE}/cogniflow_{name}?connect=false",
        "redis_url": f"redis://{_NOWHERE}/0",
        "key_encryption_secret": "unused",
        "settings_encryption_secret": "unused",
        "content_dir": ".",
        "erasure_ledger": "nowhere.jsonl",
        **secrets,
    }


def describe(app: FastAPI) -> BaseSchema:
    """The schema to parametrize tests with: one test an operation."""
    return schemathesis.openapi.from_dict(app.openapi())


def examples(default: int = 15) -> settings:
    """As many examples an operation as SCHEMATHESIS_EXAMPLES says, 15 without it."""
    return settings(
        max_examples=int(os.environ.get("SCHEMATHESIS_EXAMPLES", default)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def check(case: Case[Any], app: FastAPI, headers: dict[str, str]) -> None:
    """Call the operation and run every check: no 5xx, no undocumented status, the body as described."""
    case.operation.schema.app = app
    if _VALID_KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        # Examples share short keys; one used for another body would rightly be refused.
        case.headers["Idempotency-Key"] = str(uuid4())
    case.call_and_validate(headers=headers, app=app)
