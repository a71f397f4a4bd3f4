"""Lists everything in an archive that was not imported, with the reason for each."""

from dataclasses import dataclass, field

from courses_service.content.sanitizer import one_line
from courses_service.olx.errors import ArchiveTooLarge


@dataclass(frozen=True)
class SkippedElement:
    """A block, file, setting or piece of markup that was not imported; `not_taken_over` in the API.

    `kind`: the block's tag, or the sort of file or setting. `name`: its title
    or path. `location`: "section / subsection / unit", empty for what is not
    part of the outline.
    """

    kind: str
    name: str
    location: str
    reason: str


MAX_SKIPPED_ELEMENTS = 20_000
NAME_LENGTH = 255
LOCATION_LENGTH = 800
REASON_LENGTH = 600


@dataclass
class Report:
    """Filled while an archive is read. `imported`: `kind/name` of each block that is part of the course."""

    skipped: list[SkippedElement] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)

    def skip(self, kind: str, name: str, reason: str, location: str = "") -> None:
        if len(self.skipped) == MAX_SKIPPED_ELEMENTS:
            raise ArchiveTooLarge(
                f"More than {MAX_SKIPPED_ELEMENTS} things in the archive couldn't be taken over."
            )
        self.skipped.append(
            SkippedElement(
                one_line(kind, NAME_LENGTH),
                one_line(name, NAME_LENGTH),
                one_line(location, LOCATION_LENGTH),
                one_line(reason, REASON_LENGTH),
            )
        )
