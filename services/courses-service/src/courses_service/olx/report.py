"""What an import left out, entry by entry, so that nothing is dropped in silence."""

from dataclasses import dataclass, field

from courses_service.markup import one_line
from courses_service.olx.errors import ArchiveTooLarge


@dataclass(frozen=True)
class NotTakenOver:
    """`kind`: the block's tag, or what sort of file or setting it is; `name`: its title or path.

    `location` is where a learner would have met it ("section / subsection /
    unit"), empty for what has no place in the outline.
    """

    kind: str
    name: str
    location: str
    reason: str


MAX_ENTRIES = 20_000
NAME_LENGTH = 255
LOCATION_LENGTH = 800
REASON_LENGTH = 600


@dataclass
class Report:
    """Grows while an archive is read. `taken` names each block that became part of the course."""

    entries: list[NotTakenOver] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def leave_out(self, kind: str, name: str, reason: str, location: str = "") -> None:
        if len(self.entries) == MAX_ENTRIES:
            raise ArchiveTooLarge(f"More than {MAX_ENTRIES} things in the archive couldn't be taken over.")
        self.entries.append(
            NotTakenOver(
                one_line(kind, NAME_LENGTH),
                one_line(name, NAME_LENGTH),
                one_line(location, LOCATION_LENGTH),
                one_line(reason, REASON_LENGTH),
            )
        )
