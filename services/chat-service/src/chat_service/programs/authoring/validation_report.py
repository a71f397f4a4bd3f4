"""The problems of a program, each with its place."""

import re
from dataclasses import dataclass

from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.content.validation import InvalidProgram

MAX_PROBLEMS = 200
"""More than anybody reads at once; the rest is counted."""

RESERVED_SLUGS = frozenset({"sessions", "validate"})
"""Words that mean something else in the addresses of programs."""

_PLACED = re.compile(
    r"(?:week (?P<week>\d+)(?:, question (?P<question>\d+)(?=:))?[:,] )?"
    r"(?:prompt (?P<prompt>[a-z0-9_]+): )?"
    r"(?P<message>.*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Problem:
    """`week`, `question` and `prompt` as far as the problem lies in one."""

    week: int | None
    question: int | None
    prompt: str | None
    message: str

    @property
    def place(self) -> str:
        named = (("week", self.week), ("question", self.question), ("prompt", self.prompt))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)


@dataclass(frozen=True)
class ValidationReport:
    """A program, or what is wrong with its text. `more`: how many problems are left out."""

    source: str
    program: Program | None
    problems: list[Problem]
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
    """Check a YAML text as publishing does."""
    try:
        program = parse(source, "")
    except InvalidProgram as error:
        # A prompt may say the same wrong thing in two of its texts.
        found = list(dict.fromkeys(_placed(problem) for problem in error.problems))
        return ValidationReport(source, None, found[:MAX_PROBLEMS], more=max(0, len(found) - MAX_PROBLEMS))
    if program.slug in RESERVED_SLUGS:
        reserved = Problem(None, None, None, f"slug: {program.slug} has another meaning here")
        return ValidationReport(source, None, [reserved])
    return ValidationReport(source, program, [])


def _placed(problem: str) -> Problem:
    found = _PLACED.fullmatch(problem)
    assert found is not None, "the message takes what no place does"
    week, question = (int(number) if number else None for number in found.group("week", "question"))
    return Problem(week, question, found["prompt"], found["message"])
