"""Every operation, fed with what its description allows and what it doesn't."""

import pytest
from schemathesis import Case

from chat_service.app import create_app
from chat_service.settings import Settings
from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings

schema = describe(create_app(Settings(**offline_settings("chat"))))


@pytest.fixture
def every_course_is_open(platform, course):
    platform.every_course = course


@schema.parametrize()
@examples()
def test_no_answer_is_undocumented(case: Case, client, as_maja, every_course_is_open):
    check(case, client.app, as_maja)
