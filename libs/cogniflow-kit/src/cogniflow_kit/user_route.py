"""Routes that call their endpoint without FastAPI's resolution of dependencies."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from cogniflow_kit.identity import current_user


class UserRoute(APIRoute):
    """A route whose endpoint takes `request`, `user: CurrentUser` and path parameters; it returns a Response.

    Use it as `APIRouter(route_class=UserRoute)` for reads that cost less than
    the resolution of two dependencies, some 100 µs. The user is verified as in
    every other route. Path parameters have the types of their convertors, such
    as `{course_id:uuid}`. The OpenAPI document is made from the same signature.

    Raises: TypeError (when the route is defined: the endpoint takes anything else).
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        dependant = self.dependant
        others = (dependant.query_params, dependant.header_params, dependant.cookie_params)
        calls = [dependency.call for dependency in dependant.dependencies]
        if any(others) or self.body_field is not None or calls != [current_user]:
            raise TypeError(f"{self.path}: UserRoute allows request, CurrentUser and path parameters only")
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            user = await current_user(request)
            response: Response = await endpoint(request=request, user=user, **request.path_params)
            return response

        return handle
