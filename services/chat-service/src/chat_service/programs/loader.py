"""Reads programmes from YAML and publishes them into the tables."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
import yaml
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content import Programme, Question, Week
from chat_service.programs.validation import InvalidProgramme, check_programme
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

_ONE_PUBLISHER = text("SELECT pg_advisory_xact_lock(hashtext('chat-publish-programmes'))")


class UniqueKeys(yaml.SafeLoader):
    """YAML's last mention of a key silently wins; here a second one is a fault."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(problem=f"{key} is given twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def publish_folder(database: Database, folder: Path) -> None:
    """Publish every programme of the folder; what is there already in this version is left alone."""
    for path in sorted(folder.glob("*.yaml")):
        with database.transaction() as session:
            publish(session, path.read_text(encoding="utf-8"), path.name)


def publish(session: Session, source_text: str, source: str) -> None:
    """Add the programme's version. Raises InvalidProgramme, also for changed content under an old version."""
    programme = parse(source_text, source)
    session.execute(_ONE_PUBLISHER)
    checksum = hashlib.sha256(source_text.encode()).hexdigest()
    published = session.scalars(
        select(tables.ProgramVersion)
        .join(tables.Program)
        .where(tables.Program.slug == programme.slug, tables.ProgramVersion.version == programme.version)
    ).first()
    if published is None:
        _insert(session, programme, checksum)
        log.info("programme published", slug=programme.slug, version=programme.version)
    elif published.checksum != checksum:
        problem = f"version {programme.version} is published with other content; raise `version`"
        raise InvalidProgramme(source, [problem])


def parse(source_text: str, source: str) -> Programme:
    """The programme in a YAML text, checked as a whole. Raises InvalidProgramme."""
    try:
        programme = Programme.model_validate(yaml.load(source_text, UniqueKeys))  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise InvalidProgramme(source, [str(error)]) from error
    except ValidationError as error:
        raise InvalidProgramme(source, [_where(found) for found in error.errors()]) from error
    check_programme(programme, source)
    return programme


def _where(found: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"


def _insert(session: Session, programme: Programme, checksum: str) -> None:
    program_id = session.scalar(
        select(tables.Program.program_id).where(tables.Program.slug == programme.slug)
    )
    if program_id is None:
        program = tables.Program(slug=programme.slug)
        session.add(program)
        session.flush()
        program_id = program.program_id
    session.add(
        tables.ProgramVersion(
            program_id=program_id, checksum=checksum, **programme.model_dump(exclude={"slug", "weeks"})
        )
    )
    session.flush()
    for week in programme.weeks:
        _insert_week(session, programme.version_id, week)


def _insert_week(session: Session, version_id: UUID, week: Week) -> None:
    fields = week.model_dump(exclude={"questions", "content_blocks"})
    session.add(tables.Week(version_id=version_id, **fields))
    session.flush()
    session.add_all(
        tables.WeekContentBlock(week_id=week.week_id, **block.model_dump()) for block in week.content_blocks
    )
    for question in week.questions:
        session.add(tables.Question(week_id=week.week_id, **question.model_dump(exclude={"prompts"})))
        session.flush()
        session.add_all(_prompts(question))


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
