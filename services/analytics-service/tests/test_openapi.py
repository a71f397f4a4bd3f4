"""Property tests of every operation: valid and invalid requests get documented responses."""

from schemathesis import Case

from analytics_service.app import create_app
from analytics_service.settings import Settings
from cogniflow_dev.testing.openapi import check, describe, examples, offline_settings
from cogniflow_dev.testing.tokens import headers

schema = describe(create_app(Settings(**offline_settings("analytics"))))


@schema.parametrize()
@examples()
def test_responses_match_the_openapi_document(case: Case, client, courses, tokens, sender):
    courses.every_course = True
    caller = sender if case.path.startswith("/internal/") else headers(tokens.user("admin"))
    check(case, client.app, caller)
