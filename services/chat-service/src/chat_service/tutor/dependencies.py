"""Wires the tutor feature."""

from typing import Annotated

from fastapi import Depends, Request

from chat_service.settings import Settings
from chat_service.tutor.courses_client import CoursesClient
from chat_service.tutor.lesson_index import LessonIndex
from chat_service.tutor.repository import ConversationRepository
from chat_service.tutor.service import Tutor
from chat_service.tutor.turn_store import TutorTurnStore
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database


def build_courses_client(settings: Settings) -> CoursesClient:
    return CoursesClient(ServiceClient(settings, "courses-service", settings.courses_url))


def build_tutor(settings: Settings, database: Database, mongo: Mongo) -> Tutor:
    courses = build_courses_client(settings)
    return Tutor(database, TutorTurnStore(mongo), courses, LessonIndex(database, courses))


async def get_tutor(request: Request) -> Tutor:
    tutor: Tutor = request.app.state.tutor
    return tutor


async def get_conversations(request: Request) -> ConversationRepository:
    return ConversationRepository(request.app.state.mongo)


TutorService = Annotated[Tutor, Depends(get_tutor)]
Conversations = Annotated[ConversationRepository, Depends(get_conversations)]
