"""Labels point at versions of a program. A new session follows `production`, or an arm of its experiment."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service import tables

PRODUCTION = "production"


def follow_bundled(db: Session, program_id: UUID, version_id: UUID) -> bool:
    """Point `production` at a bundled version, unless a user has ever moved the label.

    Returns whether this call moved it.
    """
    lock(db, program_id)
    by_hand = db.scalar(
        select(
            exists().where(
                tables.ProgramLabelMove.program_id == program_id,
                tables.ProgramLabelMove.label == PRODUCTION,
                tables.ProgramLabelMove.moved_by.is_not(None),
            )
        )
    )
    return not by_hand and move(db, program_id, PRODUCTION, version_id, moved_by=None)


def lock(db: Session, program_id: UUID) -> None:
    """Block label moves of this program until the transaction ends; sessions can start meanwhile."""
    db.execute(
        select(tables.Program.program_id)
        .where(tables.Program.program_id == program_id)
        .with_for_update(key_share=True)
    )


def current(db: Session, program_id: UUID, label: str) -> UUID | None:
    """The version that the label points at."""
    return db.scalar(
        select(tables.ProgramLabel.version_id).where(
            tables.ProgramLabel.program_id == program_id, tables.ProgramLabel.label == label
        )
    )


def move(
    db: Session, program_id: UUID, label: str, version_id: UUID | None, *, moved_by: UUID | None
) -> bool:
    """Point the label at a version, or remove it with None; false where it is so already."""
    lock(db, program_id)
    before = current(db, program_id, label)
    if before == version_id:
        return False
    now = func.clock_timestamp()
    if version_id is None:
        gone = (tables.ProgramLabel.program_id == program_id, tables.ProgramLabel.label == label)
        db.execute(delete(tables.ProgramLabel).where(*gone))
    else:
        values = {"version_id": version_id, "moved_by": moved_by, "moved_at": now}
        db.execute(
            insert(tables.ProgramLabel)
            .values(program_id=program_id, label=label, **values)
            .on_conflict_do_update(index_elements=["program_id", "label"], set_=values)
        )
    db.add(
        tables.ProgramLabelMove(
            program_id=program_id,
            label=label,
            from_version_id=before,
            to_version_id=version_id,
            moved_by=moved_by,
            moved_at=now,
        )
    )
    db.flush()
    return True


def version_before(db: Session, program_id: UUID, label: str) -> UUID | None:
    """The version of a rollback: the one before on the label's trail, the last one if it was removed."""
    moves = db.execute(
        select(tables.ProgramLabelMove.from_version_id, tables.ProgramLabelMove.to_version_id)
        .where(tables.ProgramLabelMove.program_id == program_id, tables.ProgramLabelMove.label == label)
        .order_by(tables.ProgramLabelMove.moved_at, tables.ProgramLabelMove.move_id)
    ).all()
    # Labels set before moves were recorded have no first move.
    first = [moves[0].from_version_id] if moves else []
    trail = _trail([*first, *(move.to_version_id for move in moves)])
    if current(db, program_id, label) is None:
        return trail[-1] if trail else None
    return trail[-2] if len(trail) > 1 else None


def _trail(moves: Iterable[UUID | None]) -> list[UUID]:
    """The versions that a label pointed at, without undone moves: a step back shortens the trail."""
    trail: list[UUID] = []
    for version_id in moves:
        if version_id is None or trail[-1:] == [version_id]:
            continue
        if trail[-2:-1] == [version_id]:
            trail.pop()
        else:
            trail.append(version_id)
    return trail
