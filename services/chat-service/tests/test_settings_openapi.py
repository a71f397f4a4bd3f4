"""The routes of settings and of what was cleared up, fed as an admin with what their description allows."""

import pytest
from schemathesis import Case

from chat_service.app import create_app
from chat_service.settings import Settings
from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings
from cogniflow_dev.testing.tokens import headers

schema = describe(create_app(Settings(**offline_settings("chat"))))
own = schema.include(path_regex=r"^/api/(settings|retention)")


@pytest.fixture
def as_admin(tokens):
    return headers(tokens.user("admin"))


@own.parametrize()
@examples()
def test_no_answer_is_undocumented(case: Case, client, as_admin):
    check(case, client.app, as_admin)
