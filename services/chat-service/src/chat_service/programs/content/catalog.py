"""Published programs by version, and the form in which Redis caches them."""

import json
from collections import defaultdict
from itertools import groupby
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content.model import ContentBlock, Program, Prompt, Question, Retention, Week
from chat_service.programs.content.version_labels import PRODUCTION
from chat_service.stored_form import UnreadableForm
from cogniflow_kit.redis import Cache
from cogniflow_kit.sql.database import Database, is_away

log = structlog.stdlib.get_logger(__name__)

FORM_VERSION = 2
"""The version of the cached form that this release writes."""


class Catalog:
    """Program versions by id: from the process, then Redis, then PostgreSQL. Versions never change.

    Redis serves a process that starts while PostgreSQL is away.
    """

    def __init__(self, database: Database, cache: Cache | None = None) -> None:
        self._database = database
        self._cache = cache
        self._versions: dict[UUID, Program] = {}

    def get(self, version_id: UUID) -> Program:
        """A version that exists. Raises: Unavailable (no cache has it and PostgreSQL is away)."""
        found = self._versions.get(version_id)
        if found is None:
            found = self._versions[version_id] = self._cached(version_id) or self._stored(version_id)
        return found

    def preload(self) -> None:
        """Read the versions that new sessions follow, so that the first start need not wait for them."""
        try:
            with self._database.transaction() as db:
                current = db.scalars(
                    select(tables.ProgramLabel.version_id).where(tables.ProgramLabel.label == PRODUCTION)
                ).all()
            for version_id in current:
                self.get(version_id)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("programs are read later, PostgreSQL is unavailable", error=type(error).__name__)

    def _cached(self, version_id: UUID) -> Program | None:
        found = self._cache.get("program", version_id) if self._cache is not None else None
        if found is None:
            return None
        try:
            return read_cached_program(found)
        except UnreadableForm as error:
            log.warning("a cached program is read from PostgreSQL instead", reason=str(error))
            return None

    def _stored(self, version_id: UUID) -> Program:
        with self._database.transaction() as db:
            program = read_version(db, version_id)
        if self._cache is not None:
            self._cache.put(write_cached_program(program), "program", version_id)
        return program


def write_cached_program(program: Program) -> bytes:
    """The form in which Redis caches a program: `{"form_version": 2, "program": …}`."""
    stored = {"form_version": FORM_VERSION, "program": program.model_dump(mode="json")}
    return json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode()


def read_cached_program(cached: bytes) -> Program:
    """Raises: UnreadableForm. Version 1 is the program itself, without `form_version`."""
    what = "cached program"
    try:
        stored = json.loads(cached)
        version = stored.get("form_version", 1)
        if version not in (1, FORM_VERSION):
            raise UnreadableForm(what, f"form_version {version}")
        return Program.model_validate(stored if version == 1 else stored["program"])
    except (ValidationError, json.JSONDecodeError, AttributeError, KeyError) as error:
        raise UnreadableForm(what, type(error).__name__) from None


def read_version(db: Session, version_id: UUID) -> Program:
    """Read a version that exists, in four queries whatever its length."""
    version, slug = db.execute(
        select(tables.ProgramVersion, tables.Program.slug)
        .join(tables.Program)
        .where(tables.ProgramVersion.version_id == version_id)
    ).one()
    return Program(
        version_id=version_id,
        slug=slug,
        version=version.version,
        title=version.title,
        description=version.description,
        coach=version.coach,
        locale=version.locale,
        anonymous=version.anonymous,
        retention=Retention.model_validate(version.retention),
        weeks=_weeks(db, version_id),
    )


def _weeks(db: Session, version_id: UUID) -> list[Week]:
    in_version = tables.Week.version_id == version_id
    weeks = db.scalars(select(tables.Week).where(in_version).order_by(tables.Week.week_number)).all()
    blocks = db.scalars(
        select(tables.WeekContentBlock)
        .join(tables.Week, tables.Week.week_id == tables.WeekContentBlock.week_id)
        .where(in_version)
        .order_by(tables.WeekContentBlock.block_name)
    )
    blocks_of = defaultdict(list)
    for block in blocks:
        blocks_of[block.week_id].append(ContentBlock.model_validate(block))
    questions_of = _questions(db, version_id)
    return [
        Week(
            week_id=row.week_id,
            week_number=row.week_number,
            name=row.name,
            title=row.title,
            description=row.description,
            video_content=row.video_content,
            exercise_content=row.exercise_content,
            is_active=row.is_active,
            questions=questions_of[row.week_id],
            content_blocks=blocks_of[row.week_id],
        )
        for row in weeks
    ]


def _questions(db: Session, version_id: UUID) -> defaultdict[UUID, list[Question]]:
    """Return the questions of each week, in order."""
    in_version = tables.Week.version_id == version_id
    with_prompts = (
        select(tables.Question, tables.SystemPrompt)
        .join(tables.Week, tables.Week.week_id == tables.Question.week_id)
        .outerjoin(tables.SystemPrompt, tables.SystemPrompt.question_id == tables.Question.question_id)
        .where(in_version)
        .order_by(tables.Question.question_number, tables.Question.question_id, tables.SystemPrompt.prompt_id)
    )
    found: defaultdict[UUID, list[Question]] = defaultdict(list)
    for row, group in groupby(db.execute(with_prompts), key=lambda pair: pair[0]):
        prompts = [Prompt.model_validate(prompt) for _, prompt in group if prompt is not None]
        found[row.week_id].append(
            Question(
                question_id=row.question_id,
                question_number=row.question_number,
                question_text=row.question_text,
                question_type=row.question_type,
                requires_followup=row.requires_followup,
                step=row.step,
                skippable=row.skippable,
                max_iterations=row.max_iterations,
                keeps=row.keeps,
                choices=row.choices,
                prompts=prompts,
            )
        )
    return found
