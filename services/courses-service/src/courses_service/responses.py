"""Answers that are JSON already."""

from fastapi import Response


def json_response(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
