"""Inserts validated programs into the tables, each version once."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.model import Program, Question, Week
from chat_service.programs.content.rendering import authored
from cogniflow_kit.errors import Conflict
from cogniflow_kit.ids import new_id

log = structlog.stdlib.get_logger(__name__)

_ONE_PUBLISHER = text("SELECT pg_advisory_xact_lock(hashtext('chat-publish-programs'))")


class VersionTaken(Conflict):
    """This version is published with other content. `by_hand`: by an author, not by the installation."""

    code = "version_taken"

    def __init__(self, version: int, by_hand: bool) -> None:
        super().__init__(f"Version {version} is published with other content; raise `version`.")
        self.by_hand = by_hand


@dataclass(frozen=True)
class Published:
    """`is_new`: this call published it."""

    program_id: UUID
    version_id: UUID
    is_new: bool


def add_version(db: Session, program: Program, source: str, published_by: UUID | None) -> Published:
    """Publish a program that `parse` returned. Raises: VersionTaken."""
    db.execute(_ONE_PUBLISHER)
    there = db.scalars(
        select(tables.ProgramVersion)
        .join(tables.Program)
        .where(tables.Program.slug == program.slug, tables.ProgramVersion.version == program.version)
    ).first()
    checksum = hashlib.sha256(source.encode()).hexdigest()
    if there is not None:
        if there.checksum != checksum and not _has_same_content(db, there.version_id, program):
            raise VersionTaken(program.version, by_hand=there.published_by is not None)
        return Published(there.program_id, there.version_id, is_new=False)
    program_id = _program(db, program.slug)
    _insert(db, program_id, program, checksum, published_by)
    log.info("program published", slug=program.slug, version=program.version)
    return Published(program_id, program.version_id, is_new=True)


def _has_same_content(db: Session, version_id: UUID, program: Program) -> bool:
    """Compare without comments, line breaks and the order of keys."""
    return authored(read_version(db, version_id)) == authored(program)


def _program(db: Session, slug: str) -> UUID:
    db.execute(insert(tables.Program).values(program_id=new_id(), slug=slug).on_conflict_do_nothing())
    return db.scalars(select(tables.Program.program_id).where(tables.Program.slug == slug)).one()


def _insert(
    db: Session, program_id: UUID, program: Program, checksum: str, published_by: UUID | None
) -> None:
    fields = program.model_dump(exclude={"slug", "weeks"})
    db.add(
        tables.ProgramVersion(program_id=program_id, checksum=checksum, published_by=published_by, **fields)
    )
    db.flush()
    for week in program.weeks:
        _insert_week(db, program.version_id, week)


def _insert_week(db: Session, version_id: UUID, week: Week) -> None:
    fields = week.model_dump(exclude={"questions", "content_blocks"})
    db.add(tables.Week(version_id=version_id, **fields))
    db.flush()
    db.add_all(
        tables.WeekContentBlock(week_id=week.week_id, **block.model_dump()) for block in week.content_blocks
    )
    for question in week.questions:
        db.add(tables.Question(week_id=week.week_id, **question.model_dump(exclude={"prompts"})))
    db.flush()
    db.add_all(prompt for question in week.questions for prompt in _prompts(question))


def _prompts(question: Question) -> list[tables.SystemPrompt]:
    return [
        tables.SystemPrompt(
            question_id=question.question_id,
            scenario_name=prompt.scenario_name,
            **prompt.model_dump(exclude={"conditions"}),
            conditions=prompt.conditions.model_dump(exclude_defaults=True) if prompt.conditions else None,
        )
        for prompt in question.prompts
    ]
