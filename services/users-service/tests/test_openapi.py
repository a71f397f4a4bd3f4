"""Every operation with valid and invalid input, generated from the OpenAPI document."""

from typing import Any
from uuid import uuid4

import pytest
from schemathesis import Case

from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings
from users_service.app import create_app
from users_service.settings import Settings

schema = describe(create_app(Settings(**offline_settings("users"))))


@pytest.fixture
def admin(headers_of):
    return headers_of("admin")


@schema.parametrize()
@examples()
def test_every_response_is_documented(case: Case, client, admin):
    choose_a_better_password(case.body)
    check(case, client.app, admin)


def choose_a_better_password(body: Any) -> None:
    """Replace generated passwords: the OpenAPI document can't say that they must be hard to guess."""
    fields = body.keys() & {"password", "new_password"} if isinstance(body, dict) else ()
    for field in fields:
        if isinstance(body[field], str) and 10 <= len(body[field]) <= 128 and "\x00" not in body[field]:
            body[field] = str(uuid4())
