"""Published programmes, read from the tables once a process."""

from threading import Lock
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content import ContentBlock, Programme, Prompt, Question, Week


class Catalog:
    """A cache by version id. A published version never changes, so nothing in it grows stale."""

    def __init__(self) -> None:
        self._versions: dict[UUID, Programme] = {}
        self._lock = Lock()

    def get(self, session: Session, version_id: UUID) -> Programme:
        """The version, which must exist."""
        found = self._versions.get(version_id)
        if found is None:
            found = _read(session, version_id)
            with self._lock:
                self._versions[version_id] = found
        return found


def _read(session: Session, version_id: UUID) -> Programme:
    version, slug = session.execute(
        select(tables.ProgramVersion, tables.Program.slug)
        .join(tables.Program)
        .where(tables.ProgramVersion.version_id == version_id)
    ).one()
    weeks = session.scalars(
        select(tables.Week).where(tables.Week.version_id == version_id).order_by(tables.Week.week_number)
    )
    return Programme(
        version_id=version_id,
        slug=slug,
        version=version.version,
        title=version.title,
        description=version.description,
        weeks=[_week(session, week) for week in weeks],
    )


def _week(session: Session, row: tables.Week) -> Week:
    questions = session.scalars(
        select(tables.Question)
        .where(tables.Question.week_id == row.week_id)
        .order_by(tables.Question.question_number)
    )
    blocks = session.scalars(
        select(tables.WeekContentBlock)
        .where(tables.WeekContentBlock.week_id == row.week_id)
        .order_by(tables.WeekContentBlock.block_name)
    )
    return Week(
        week_id=row.week_id,
        week_number=row.week_number,
        name=row.name,
        title=row.title,
        description=row.description,
        video_content=row.video_content,
        exercise_content=row.exercise_content,
        is_active=row.is_active,
        questions=[_question(session, question) for question in questions],
        content_blocks=[ContentBlock.model_validate(block) for block in blocks],
    )


def _question(session: Session, row: tables.Question) -> Question:
    prompts = session.scalars(
        select(tables.SystemPrompt).where(tables.SystemPrompt.question_id == row.question_id)
    )
    return Question(
        question_id=row.question_id,
        question_number=row.question_number,
        question_text=row.question_text,
        question_type=row.question_type,
        requires_followup=row.requires_followup,
        prompts=[Prompt.model_validate(prompt) for prompt in prompts],
    )
