"""Reads programs from YAML; publishes those that the installation brings."""

from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import ValidationError
from sqlalchemy.orm import Session

from chat_service.programs.content.model import Program
from chat_service.programs.content.publishing import VersionTaken, add_version
from chat_service.programs.content.validation import InvalidProgram, check_program
from chat_service.programs.content.validation_messages import shape_faults, yaml_fault
from chat_service.programs.content.version_labels import follow_bundled
from chat_service.programs.content.yaml_source import load
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


def publish_folder(database: Database, folder: Path) -> None:
    """Publish every program of the folder; what is there already in this version is left alone.

    A version that somebody published by hand first must not keep the service from starting.
    """
    for path in sorted(folder.glob("*.yaml")):
        try:
            with database.transaction() as session:
                publish(session, path.read_text(encoding="utf-8"), path.name)
        except VersionTaken as taken:
            if not taken.by_hand:
                raise InvalidProgram(path.name, [str(taken)]) from taken
            log.warning("bundled program not published", file=path.name, reason=str(taken))


def publish(session: Session, source_text: str, source: str) -> None:
    """Add the program's version. Raises InvalidProgram and VersionTaken."""
    program = parse(source_text, source)
    published = add_version(session, program, source_text, published_by=None)
    if published.is_new:
        follow_bundled(session, published.program_id, published.version_id)


def parse(source_text: str, source: str) -> Program:
    """The program in a YAML text, checked as a whole. Raises InvalidProgram."""
    content: Any = None
    try:
        content = load(source_text)
        program = Program.model_validate(content)
    except yaml.YAMLError as error:
        raise InvalidProgram(source, [yaml_fault(error)]) from error
    except ValidationError as error:
        raise InvalidProgram(source, list(shape_faults(error, content))) from error
    check_program(program, source)
    return program
