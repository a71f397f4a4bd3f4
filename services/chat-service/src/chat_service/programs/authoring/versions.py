"""Rules of versions: checked, then published once, then never changed."""

from uuid import UUID

from sqlalchemy.orm import Session

from chat_service.programs.authoring.diff import Difference, compare
from chat_service.programs.authoring.errors import OtherSlug, UnsoundProgram
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.schemas import VersionOut
from chat_service.programs.authoring.validation_report import ValidationReport
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.model import Program
from chat_service.programs.content.publishing import add_version


class Versions:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._repository = AuthoringRepository(session)

    def publish(self, slug: str, finding: ValidationReport, author: UUID) -> tuple[VersionOut, bool]:
        """The version, and whether it is new. Raises UnsoundProgram, OtherSlug and VersionTaken."""
        if finding.program is None:
            raise UnsoundProgram(finding)
        if finding.program.slug != slug:
            raise OtherSlug(finding.program.slug)
        published = add_version(self._session, finding.program, finding.source, author)
        row = self._repository.about_version(published.version_id)
        return VersionOut.model_validate(row), published.is_new

    def page(self, slug: str, after: UUID | None, limit: int) -> list[VersionOut]:
        """Newest first, one more than `limit` when there is more."""
        rows = self._repository.versions(self._repository.program(slug), after, limit)
        return [VersionOut.model_validate(row) for row in rows]

    def content(self, slug: str, number: int) -> Program:
        """Raises ProgramNotFound and VersionNotFound."""
        return read_version(self._session, self._repository.version(self._repository.program(slug), number))

    def compare(self, slug: str, old: int, new: int) -> Difference:
        return compare(self.content(slug, old), self.content(slug, new))
