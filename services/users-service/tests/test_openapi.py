"""Every operation, fed with what its description allows and what it doesn't."""

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
    check(case, client.app, admin)
