"""Wires the authoring feature."""

from typing import Annotated

from fastapi import Body, Depends, Request

from chat_service.programs.authoring.service import Experiments, Labels, Versions
from chat_service.programs.authoring.session_moves import SessionMover
from chat_service.programs.authoring.validation_report import ValidationReport, examine
from cogniflow_kit.identity import Instructor
from cogniflow_kit.sql.database import DatabaseSession

ProgramYaml = Annotated[
    str, Body(media_type="application/yaml", description="A program as YAML, up to 1,000,000 bytes.")
]


def get_validation_report(source: ProgramYaml, _: Instructor) -> ValidationReport:
    """Validate the request's program. Routes list it first, so that no database session waits for it."""
    return examine(source)


async def get_versions(db: DatabaseSession) -> Versions:
    return Versions(db)


async def get_labels(db: DatabaseSession) -> Labels:
    return Labels(db)


async def get_experiments(db: DatabaseSession) -> Experiments:
    return Experiments(db)


async def get_session_mover(request: Request) -> SessionMover:
    mover: SessionMover = request.app.state.session_mover
    return mover


ValidatedProgram = Annotated[ValidationReport, Depends(get_validation_report)]
VersionsService = Annotated[Versions, Depends(get_versions)]
LabelsService = Annotated[Labels, Depends(get_labels)]
ExperimentsService = Annotated[Experiments, Depends(get_experiments)]
SessionMoverService = Annotated[SessionMover, Depends(get_session_mover)]
