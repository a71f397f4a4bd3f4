"""Publishes the program drafted from week modules if it passes the validation of all programs."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.content.publishing import add_version
from chat_service.programs.content.rendering import authored
from chat_service.programs.content.validation import InvalidProgram
from legacy_import.apply.rows import RowCounts
from legacy_import.sources import Source
from legacy_import.week_modules.draft import ProgramDraft


def publish_draft(session: Session, source: Source, draft: ProgramDraft) -> Iterable[tuple[str, RowCounts]]:
    """Publish the draft as a new version without a label, unless the newest version equals it.

    An invalid draft is skipped as a whole; the ledger lists the problems. Yields counts by table.
    """
    ledger = source.ledger
    try:
        program = parse(draft.yaml(), draft.slug)
    except InvalidProgram as error:
        for message in error.messages:
            ledger.error(draft.slug, str(message))
        ledger.skip_rest("the program doesn't pass its checks; see the problems and --yaml")
        return []
    newest = _newest(session, draft.slug)
    if newest is not None and _same(newest, program):
        return _counts(program, RowCounts(unchanged=1))
    version = newest.version + 1 if newest is not None else 1
    program = program.model_copy(update={"version": version})
    add_version(session, program, draft.yaml(version), published_by=None)
    ledger.note(
        draft.slug,
        f"version {version}, without a label: participants begin it only after an author labels it",
    )
    return _counts(program, RowCounts(written=1))


def todos_as_json(draft: ProgramDraft) -> list[dict[str, object]]:
    return [asdict(todo) for todo in draft.todos]


def _newest(session: Session, slug: str) -> Program | None:
    version_id = session.scalar(
        select(tables.ProgramVersion.version_id)
        .join(tables.Program)
        .where(tables.Program.slug == slug)
        .order_by(tables.ProgramVersion.version.desc())
        .limit(1)
    )
    return read_version(session, version_id) if version_id is not None else None


def _same(one: Program, other: Program) -> bool:
    return authored(one.model_copy(update={"version": other.version})) == authored(other)


def _counts(program: Program, each: RowCounts) -> Iterable[tuple[str, RowCounts]]:
    questions = [question for week in program.weeks for question in week.questions]
    numbers = {
        "program_versions": 1,
        "weeks": len(program.weeks),
        "questions": len(questions),
        "system_prompts": sum(len(question.prompts) for question in questions),
        "week_content_blocks": sum(len(week.content_blocks) for week in program.weeks),
    }
    for table, number in numbers.items():
        yield table, RowCounts(each.written * number, 0, each.unchanged * number)
