"""Wires the quizzes feature."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.quizzes.repository import AnswerKeyRepository, AttemptRepository
from courses_service.quizzes.service import Quizzes


async def get_quizzes(request: Request, user: CurrentUser, db: DatabaseSession) -> Quizzes:
    return Quizzes(db, AnswerKeyRepository(db), AttemptRepository(request.app.state.mongo), user)


QuizzesService = Annotated[Quizzes, Depends(get_quizzes)]
