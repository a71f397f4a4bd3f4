"""HTTP responses from JSON that PostgreSQL or a cache has already serialized."""

from fastapi import Response


def json_response(body: bytes) -> Response:
    return Response(body, media_type="application/json")
