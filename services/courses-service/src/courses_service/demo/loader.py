"""Puts the bundled courses into the database, once."""

from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from courses_service.demo.bundle import read_bundle
from courses_service.storage import store_sections
from courses_service.tables import Course

log = structlog.stdlib.get_logger(__name__)

_DEMO = "https://cogniflow.invalid/demo/"


def demo_id(name: str) -> UUID:
    """The same on every installation, so that services agree on it without asking."""
    return uuid5(NAMESPACE_URL, _DEMO + name)


DEMO_INSTRUCTOR = demo_id("instructor")


def load_demo_courses(database: Database, content_dir: Path) -> None:
    """Add what is missing; a course that is there stays as its instructor left it."""
    for description in sorted((content_dir / "courses").glob("*/course.yaml")):
        with database.transaction() as session:
            _load(session, description.parent)


def _load(session: Session, folder: Path) -> None:
    slug, content = read_bundle(folder)
    added = session.scalars(
        insert(Course)
        .values(
            id=demo_id(f"courses/{slug}"),
            slug=slug,
            title=content.title,
            description=content.description,
            language=content.language,
            instructor_id=DEMO_INSTRUCTOR,
            status="published",
        )
        .on_conflict_do_nothing()
        .returning(Course.id)
    ).first()
    if added is not None:
        store_sections(session, added, content)
        log.info("demo course loaded", slug=slug)
