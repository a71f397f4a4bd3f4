"""Wires the reviews feature."""

from typing import Annotated

from fastapi import Depends

from chat_service.safety.reviews.service import Reviews
from cogniflow_kit.identity import Admin
from cogniflow_kit.sql.database import DatabaseSession


async def get_reviews(admin: Admin, db: DatabaseSession) -> Reviews:
    return Reviews(db, admin.id)


ReviewsService = Annotated[Reviews, Depends(get_reviews)]
