"""Property tests of every operation: valid and invalid requests get documented responses."""

import pytest
import schemathesis
from api_users import ApiUser
from course_archives import SMALL, targz
from hypothesis import strategies as st
from schemathesis import Case

from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings
from courses_service.app import create_app
from courses_service.settings import Settings

# A schema can't describe a valid course archive, so a strategy generates them.
ARCHIVES = st.text("abc", max_size=8).map(lambda text: targz(SMALL | {"static/notes.txt": text}))
schemathesis.openapi.media_type("application/gzip", ARCHIVES)
schema = describe(create_app(Settings(**offline_settings("courses"))))


@schema.parametrize()
@examples()
def test_responses_match_the_openapi_document(
    case: Case, client, admin: ApiUser, chat_service: ApiUser
) -> None:
    caller = chat_service if case.path.startswith("/internal/") else admin
    check(case, client.app, caller.headers)


@pytest.fixture(autouse=True)
def some_course(course) -> None:
    """One course, so that lists aren't empty."""
