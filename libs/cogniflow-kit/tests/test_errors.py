"""Every refusal is one kind of answer: a problem with a stable code."""

import json

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from cogniflow_kit import errors
from cogniflow_kit.errors import AlreadyAnswered, ServiceError, problems
from cogniflow_kit.schemas import Instant, RequestBody

router = APIRouter()


class Inner(RequestBody):
    word: str = Field(max_length=5)


class Body(RequestBody):
    name: str = Field(max_length=5)
    tags: list[str] | None = None
    inner: Inner | None = None


class Loose(BaseModel):
    count: int


class Teapot(ServiceError):
    status = 418
    code = "teapot"


RAISED = {
    "conflict": (errors.Conflict("It is taken."), 409, "conflict"),
    "forbidden": (errors.Forbidden("Not yours."), 403, "forbidden"),
    "missing": (errors.NotFound("Nothing here."), 404, "not_found"),
    "large": (errors.TooLarge("Too much."), 413, "too_large"),
    "unprocessable": (errors.Unprocessable("No sense."), 422, "unprocessable"),
    "away": (errors.Unavailable("Away."), 503, "service_unavailable"),
    "own": (Teapot("Short and stout."), 418, "teapot"),
    "framework": (HTTPException(409, "Taken."), 409, "conflict"),
    "framework 413": (HTTPException(413, "Too much."), 413, "too_large"),
}


@router.get("/raise/{name}", responses=problems(404))
def raise_error(name: str) -> None:
    raise RAISED[name][0]


@router.get("/again")
def again() -> None:
    raise AlreadyAnswered(201, {"id": 1})


@router.get("/bug")
def bug() -> None:
    password = "hunter2"  # noqa: F841 -- must not show up in the log
    raise RuntimeError("a bug")


@router.get("/broken-rule")
def broken_rule() -> None:
    raise IntegrityError("INSERT", {"password": "hunter2"}, Exception("duplicate"))


@router.post("/bodies")
def post_body(body: Body) -> Body:
    return body


@router.get("/numbers/{number}")
def number(number: int, limit: int = 1) -> int:
    return number + limit


@pytest.fixture
def client(make_client):
    client = make_client(router)
    client.app.state.settings  # noqa: B018 -- every app carries its settings
    return client


@pytest.mark.parametrize("name", RAISED)
def test_an_error_becomes_a_problem(client, name):
    error, status, code = RAISED[name]
    answer = client.get(f"/raise/{name}", headers={"X-Request-ID": "the-one"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.pop("title")
    assert problem == {
        "type": "about:blank",
        "status": status,
        "detail": error.detail,
        "code": code,
        "request_id": "the-one",
    }


def test_an_outage_says_when_to_come_back(client):
    assert client.get("/raise/away").headers["retry-after"] == "5"


def test_a_repeated_request_gets_its_first_answer(client):
    answer = client.get("/again")
    assert (answer.status_code, answer.json()) == (201, {"id": 1})
    assert answer.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("path", ["/bug", "/broken-rule"])
def test_a_bug_says_nothing_about_itself(client, path):
    answer = client.get(path)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    for secret in ("bug", "hunter2", "INSERT", "Traceback", ".py"):
        assert secret not in answer.text.replace("/bug", "")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "body.name", "missing"),
        ({"name": "too long"}, "body.name", "string_too_long"),
        ({"name": 5}, "body.name", "string_type"),
        ({"name": "a", "role": "admin"}, "body.role", "extra_forbidden"),
        ({"name": "a\x00"}, "body.name", "value_error"),
        ({"name": "a", "tags": ["b\x00"]}, "body.tags", "value_error"),
        ({"name": "a", "inner": {"word": "b\x00"}}, "body.inner.word", "value_error"),
        ({"name": "a", "inner": {"word": "b", "more": 1}}, "body.inner.more", "extra_forbidden"),
        ({"name": "\ud800"}, "body.name", "string_unicode"),
        ([], "body", None),
        (None, "body", None),
    ],
)
def test_each_bad_field_is_named(client, body, field, code):
    answer = client.post("/bodies", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert field in [error["field"] for error in problem["errors"]]
    if code is not None:
        assert code in [error["code"] for error in problem["errors"]]


def test_the_refused_value_is_not_repeated(client):
    answer = client.post("/bodies", json={"name": "my secret password"})
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"name": NaN',
        b"\xff\xfe\x00",
        b'{"name": "\xff"}',
        b"[" * 200_000,
        b'{"name": ' + b"1" * 5000 + b"}",
        b'{"\\ud800": 1}',
        b'{"name": "a", "\\ud800": 1}',
    ],
)
def test_what_is_no_proper_json_is_refused(client, content):
    answer = client.post("/bodies", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_kind_of_body_is_refused(client, content_type):
    answer = client.post("/bodies", content=b'{"name": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/numbers/x", "/numbers/1?limit=x", "/numbers/1e400", "/numbers/%00"])
def test_bad_parameters_are_named(client, path):
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("path.number", "query.limit")


def test_an_unknown_address_is_a_problem_too(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_405_names_every_method_of_the_address(make_client):
    several = APIRouter(prefix="/several")
    several.add_api_route("/{number}", number, methods=["PUT"])
    several.add_api_route("/{number}", number, methods=["GET"])
    answer = make_client(several).delete("/several/1")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PUT"


def test_the_description_tells_of_problems(client):
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/raise/{name}"]["get"]["responses"]
    assert {"400", "401", "403", "404", "413", "422", "503"} <= responses.keys()
    for status in ("404", "422", "503"):
        [(media, content)] = responses[status]["content"].items()
        assert media == "application/problem+json"
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert {"code", "detail", "errors"} <= document["components"]["schemas"]["Problem"]["properties"].keys()
    assert "FieldProblem" in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("moment", "understood"),
    [
        ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00.5+02:00", "2026-03-02T07:00:00.500000Z"),
        ("2026-03-02T09:00:00", None),
        ("2026-03-02", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("0", None),
        (0, None),
        (1767225600.5, None),
        (True, None),
        (None, None),
    ],
)
def test_moments_are_written_out_with_their_zone(make_client, moment, understood):
    appointments = APIRouter()

    class Appointment(RequestBody):
        at: Instant

    @appointments.post("/appointments")
    def make(appointment: Appointment) -> Appointment:
        return appointment

    answer = make_client(appointments).post("/appointments", json={"at": moment})
    if understood is None:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.at"
    else:
        assert answer.json() == {"at": understood}
