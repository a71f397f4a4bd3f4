"""access.md says the truth: every route, every role, and what belongs to somebody else."""

import re
import secrets
from collections.abc import Iterator
from uuid import uuid4

import pytest
from access_table import ROLES, USERS, Rule, access_table
from four_services import FourServices
from service_routes import Operation, every_operation
from whose import SESSION_KEY, Belongings, body_of

ROUTES = [operation for operation in every_operation() if operation in access_table()]
PERSONAL = [operation for operation in ROUTES if access_table()[operation].stranger is not None]


@pytest.fixture(scope="module")
def belongings(platform: FourServices) -> Belongings:
    return Belongings(platform)


MADE_UP = {"slug": "driven", "number": "1"}


def filled(path: str, ids: dict[str, str]) -> str:
    for place in re.findall(r"{(\w+)}", path):
        made_up = MADE_UP.get(place, str(uuid4()))
        path = path.replace(f"{{{place}}}", ids.get(place, made_up))
    return path


def callers(
    platform: FourServices, operation: Operation, rule: Rule
) -> Iterator[tuple[str, dict[str, str], str]]:
    """Who calls, with which headers, and what they are to get: `let in` or a status."""
    yield "anonymous", {}, "let in" if "anonymous" in rule.let_in else "401"
    unknown_key = {SESSION_KEY: secrets.token_urlsafe(32)}
    yield "by key", unknown_key, "let in" if rule.by_key or "anonymous" in rule.let_in else "401"
    for role in USERS:
        refusal = "401" if rule.scope else "403"
        yield role, platform.person(role).headers, "let in" if role in rule.let_in else refusal
    for scope in filter(None, (rule.scope, "something:else")):
        headers = {"Authorization": f"Bearer {platform.service_token(operation.service, scope)}"}
        let_in = "anonymous" in rule.let_in or scope == rule.scope
        refusal = "403" if rule.scope else "401"
        yield f"service with {scope}", headers, "let in" if let_in else refusal


def test_every_route_is_in_the_table() -> None:
    missing = [operation for operation in every_operation() if operation not in access_table()]
    rows = "\n".join(
        f"| {found.service} | `{found.method} {found.path}` | WHO | WHOSE | – |" for found in missing
    )
    assert not missing, f"say in tests/security/access.md whom these routes let in:\n{rows}"


def test_the_table_has_no_route_that_is_gone() -> None:
    gone = [str(operation) for operation in access_table() if operation not in every_operation()]
    assert not gone, f"take these rows out of tests/security/access.md: {gone}"


@pytest.mark.parametrize("operation", ROUTES, ids=str)
def test_an_address_with_an_id_says_whose_it_is(operation: Operation) -> None:
    rule = access_table()[operation]
    if "_id}" in operation.path and "service" not in rule.let_in:
        assert rule.whose == "all" or rule.stranger is not None, (
            f"{operation} names something by its id: name an example of it in access.md, made in whose.py, "
            "with what strangers get; `all` if everybody that the row lets in may have everybody's"
        )


@pytest.mark.parametrize("operation", ROUTES, ids=str)
def test_a_route_lets_in_whom_its_row_says(operation: Operation, platform: FourServices) -> None:
    rule = access_table()[operation]
    assert rule.let_in <= set(ROLES), f"{operation}: no such role: {rule.let_in - set(ROLES)}"
    wrong = []
    for who, headers, expected in callers(platform, operation, rule):
        path = filled(operation.path, {})
        status = platform.call(operation.service, operation.method, path, headers=headers).status_code
        got = "let in" if status < 500 and status not in (401, 403) else str(status)
        if got != expected:
            wrong.append(f"{who}: {status} instead of {expected}")
    assert not wrong, f"{operation}: {'; '.join(wrong)}; correct the route, or its row in access.md"


@pytest.mark.parametrize("operation", PERSONAL, ids=str)
def test_a_stranger_gets_nothing_of_somebody_elses(
    operation: Operation, platform: FourServices, belongings: Belongings
) -> None:
    rule = access_table()[operation]
    theirs = belongings.find(rule.whose)
    stranger, owner = platform.person(theirs.owner.role).headers, theirs.owner.headers | theirs.headers
    path, body = filled(operation.path, theirs.ids), body_of(operation, theirs.ids)
    for headers, expected in ((stranger, True), (owner, False)):
        answer = platform.call(operation.service, operation.method, path, headers=headers, json=body)
        refused = answer.status_code in (401, 403, 404, 422)
        assert refused is expected, (
            f"{'stranger' if expected else 'owner'}: {answer.status_code} {answer.text}"
        )
        if expected:
            assert answer.status_code == rule.stranger
