"""JSON responses that FastAPI passes on as they are."""

from fastapi import Response
from pydantic import BaseModel


def json_response(body: bytes | BaseModel) -> Response:
    """Make a response of a model, or of JSON that PostgreSQL or a cache has already serialized.

    A handler that returns its model instead has it validated again and
    serialized in another thread; on a hot path that takes longer than the
    handler's own Python. Name the model in `response_model`.
    """
    content = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True)
    return Response(content, media_type="application/json")
