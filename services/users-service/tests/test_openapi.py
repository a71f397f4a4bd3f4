"""Every operation, fed with what its description allows and what it doesn't."""

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
def test_no_answer_is_undocumented(case: Case, client, admin):
    choose_a_better_password(case.body)
    check(case, client.app, admin)


def choose_a_better_password(body: Any) -> None:
    """A description can say how long a password is, not that it mustn't be easy to guess."""
    fields = body.keys() & {"password", "new_password"} if isinstance(body, dict) else ()
    for field in fields:
        if isinstance(body[field], str) and 10 <= len(body[field]) <= 128 and "\x00" not in body[field]:
            body[field] = str(uuid4())
