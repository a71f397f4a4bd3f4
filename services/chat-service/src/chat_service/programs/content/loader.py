"""Reads programs from YAML and publishes the bundled ones."""

from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import ValidationError
from sqlalchemy.orm import Session

from chat_service.programs.content.model import Program
from chat_service.programs.content.publishing import VersionTaken, add_version
from chat_service.programs.content.validation import InvalidProgram, check_program
from chat_service.programs.content.validation_messages import ValidationMessage, field_messages, yaml_message
from chat_service.programs.content.version_labels import follow_bundled
from chat_service.programs.content.yaml_source import load
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


def publish_folder(database: Database, folder: Path) -> None:
    """Publish the programs of the folder that are not published in their version yet.

    A version that an author published first is skipped with a warning, so that the service starts.
    """
    for path in sorted(folder.glob("*.yaml")):
        try:
            with database.transaction() as db:
                publish(db, path.read_text(encoding="utf-8"), path.name)
        except VersionTaken as taken:
            if not taken.by_hand:
                raise InvalidProgram(path.name, [ValidationMessage(message=str(taken))]) from taken
            log.warning("bundled program not published", file=path.name, reason=str(taken))


def publish(db: Session, source_text: str, source: str) -> None:
    """Add the program's version. Raises: InvalidProgram, VersionTaken."""
    program = parse(source_text, source)
    published = add_version(db, program, source_text, published_by=None)
    if published.is_new:
        follow_bundled(db, published.program_id, published.version_id)


def parse(source_text: str, source: str) -> Program:
    """Parse and validate a program in YAML. Raises: InvalidProgram."""
    content: Any = None
    try:
        content = load(source_text)
        program = Program.model_validate(content)
    except yaml.YAMLError as error:
        raise InvalidProgram(source, [yaml_message(error)]) from error
    except ValidationError as error:
        raise InvalidProgram(source, list(field_messages(error, content))) from error
    check_program(program, source)
    return program
