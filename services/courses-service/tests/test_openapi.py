"""Every operation, fed with what its description allows and what it doesn't."""

import pytest
import schemathesis
from course_archives import SMALL, targz
from hypothesis import strategies as st
from people import Person
from schemathesis import Case

from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings
from courses_service.app import create_app
from courses_service.settings import Settings

# That a file is a course archive is more than a schema can say.
ARCHIVES = st.text("abc", max_size=8).map(lambda text: targz(SMALL | {"static/notes.txt": text}))
schemathesis.openapi.media_type("application/gzip", ARCHIVES)
schema = describe(create_app(Settings(**offline_settings("courses"))))


@schema.parametrize()
@examples()
def test_no_answer_is_undocumented(case: Case, client, admin: Person, chat_service: Person) -> None:
    caller = chat_service if case.path.startswith("/internal/") else admin
    check(case, client.app, caller.headers)


@pytest.fixture(autouse=True)
def some_course(course) -> None:
    """So that lists aren't empty."""
