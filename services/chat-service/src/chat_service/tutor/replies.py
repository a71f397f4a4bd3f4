"""The tutor's reply, and its stored form: the field `reply` of a turn's document in `ai_conversations`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from chat_service.safety.help.places import Resource
from chat_service.stored_form import StoredForm, StoredResource, read_form


@dataclass(frozen=True)
class Citation:
    """The passage that supports the statements with this number in brackets."""

    number: int
    lesson_id: UUID
    lesson_title: str
    passage: str


@dataclass(frozen=True)
class TutorReply:
    """`resources`: help places to show before everything else. `answered`: whether the lessons answer it."""

    resources: list[Resource]
    answer: str
    answered: bool
    citations: list[Citation]


FORM_VERSION = 2
"""The version of the stored form that this release writes."""


class StoredCitation(StoredForm):
    number: int
    lesson_id: UUID
    lesson_title: str
    passage: str


class StoredTutorReply(StoredForm):
    """Version 1 has the same fields without `form_version`. Sample files are in `tests/data/stored/`."""

    form_version: Literal[1, 2] = 1
    resources: list[StoredResource]
    answer: str
    answered: bool
    citations: list[StoredCitation]

    def reply(self) -> TutorReply:
        return TutorReply(
            resources=[resource.resource() for resource in self.resources],
            answer=self.answer,
            answered=self.answered,
            citations=[Citation(**dict(citation)) for citation in self.citations],
        )


def stored_reply(reply: TutorReply) -> dict[str, Any]:
    """The value of the field `reply`."""
    stored = StoredTutorReply.model_validate(
        {
            "form_version": FORM_VERSION,
            "resources": [resource.model_dump() for resource in reply.resources],
            "answer": reply.answer,
            "answered": reply.answered,
            "citations": [asdict(citation) for citation in reply.citations],
        }
    )
    return stored.model_dump(mode="json")


def read_reply(stored: Mapping[str, Any]) -> TutorReply:
    """Raises: UnreadableForm."""
    return read_form(StoredTutorReply, stored, "reply of the tutor").reply()
