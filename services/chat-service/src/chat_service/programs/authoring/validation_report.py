"""Validates the YAML text of a program, as publishing does, and reports the problems."""

from dataclasses import dataclass

from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.content.validation import InvalidProgram
from chat_service.programs.content.validation_messages import ValidationMessage

MAX_PROBLEMS = 200
"""Problems in one report; the rest is counted."""

RESERVED_SLUGS = frozenset({"sessions", "validate"})
"""Path segments of the API that a program's slug would hide."""


@dataclass(frozen=True)
class ValidationReport:
    """A valid program, or the problems of its text. `more`: the number of problems left out."""

    source: str
    program: Program | None
    problems: list[ValidationMessage]
    more: int = 0

    @property
    def valid(self) -> bool:
        return self.program is not None

    @property
    def slug(self) -> str | None:
        return self.program.slug if self.program else None

    @property
    def version(self) -> int | None:
        return self.program.version if self.program else None


def examine(source: str) -> ValidationReport:
    """Validate a YAML text as publishing does."""
    try:
        program = parse(source, "")
    except InvalidProgram as error:
        # Two texts of a prompt may have the same problem.
        found = list(dict.fromkeys(error.messages))
        return ValidationReport(source, None, found[:MAX_PROBLEMS], more=max(0, len(found) - MAX_PROBLEMS))
    if program.slug in RESERVED_SLUGS:
        reserved = ValidationMessage(message=f"slug: {program.slug} has another meaning here")
        return ValidationReport(source, None, [reserved])
    return ValidationReport(source, program, [])
