"""Routes without FastAPI's resolution of dependencies: same authentication, same OpenAPI document."""

from uuid import UUID

import pytest
from fastapi import APIRouter, Request, Response

from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.errors import NotFound
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.user_route import UserRoute

THING = "/things/00000000-0000-0000-0000-000000000007"


def router(**kwargs) -> APIRouter:
    things = APIRouter(**kwargs)

    @things.get("/things/{thing_id:uuid}")
    async def get_thing(request: Request, thing_id: UUID, user: CurrentUser) -> Response:
        if thing_id.int != 7:
            raise NotFound("There is no such thing.")
        return Response(f"{request.method} {thing_id.int} {user.role}")

    return things


def test_endpoint_gets_the_request_the_user_and_path_parameters(make_client, tokens):
    client = make_client(router(route_class=UserRoute))
    answer = client.get(THING, headers=headers(tokens.user("student")))
    assert (answer.status_code, answer.text) == (200, "GET 7 student")


def test_requests_without_valid_token_are_unauthorized(make_client, tokens):
    client = make_client(router(route_class=UserRoute))
    assert client.get(THING).status_code == 401
    assert client.get(THING, headers=headers(tokens.user(exp=1))).status_code == 401


def test_errors_are_problems(make_client, tokens):
    client = make_client(router(route_class=UserRoute))
    user = headers(tokens.user())
    answer = client.get("/things/00000000-0000-0000-0000-000000000008", headers=user)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/things/7", headers=user).status_code == 404
    assert client.post(THING, headers=user).status_code == 405


def test_openapi_document_is_that_of_an_ordinary_route(make_client):
    direct, ordinary = (make_client(router(**how)).app for how in ({"route_class": UserRoute}, {}))
    assert direct.openapi() == ordinary.openapi()


def test_other_parameters_are_refused_at_definition():
    things = APIRouter(route_class=UserRoute)
    with pytest.raises(TypeError, match="UserRoute allows"):

        @things.get("/things")
        async def list_things(user: CurrentUser, limit: int = 20) -> Response:
            return Response()
