"""Plays stories against the real coach engine, with safety check and intents, without stores.

`content/stories/README.md` explains the format.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from chat_service.phrase_matching import shorten
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.content.validation import InvalidProgram
from chat_service.programs.stories.checks import MessageResult, failures, missing_pieces
from chat_service.programs.stories.format import InvalidStories, Story, read_stories
from chat_service.programs.stories.start import NoSuchStart, start_of
from chat_service.turns.model import Message

_QUOTED_CHARACTERS = 60


@dataclass(frozen=True)
class StoryCase:
    """A story and the program session in which it begins."""

    file: str
    story: Story
    start: ProgramSession

    @property
    def title(self) -> str:
        return f'{self.file}: "{self.story.name}"'


@dataclass(frozen=True)
class StoryResult:
    """The result of one story; without failures it succeeded. `used_prompts`: ids of its prompts."""

    case: StoryCase
    failures: list[str] = field(default_factory=list)
    used_prompts: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class StoryReport:
    """The results of all stories. `problems`: why some could not be played."""

    played: list[StoryResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and not self.failed

    @property
    def failed(self) -> list[StoryResult]:
        return [one for one in self.played if one.failures]

    @property
    def unreached_scenarios(self) -> list[str]:
        """Scenarios of the played weeks that no story reaches. They are no failures."""
        used_prompts = {prompt_id for one in self.played for prompt_id in one.used_prompts}
        weeks = {one.case.start.week.week_id: one.case.start for one in self.played}
        found = []
        for start in weeks.values():
            for question in start.week.questions:
                missed = [one.prompt_type for one in question.scenarios if one.prompt_id not in used_prompts]
                if missed:
                    location = f"week {start.week.week_number}, question {question.question_number}"
                    found.append(f"{start.program.slug}, {location}: no story leads to {', '.join(missed)}")
        return found

    def __str__(self) -> str:
        """Every problem and failure; without any, the scenarios that no story reaches; then the count."""
        problems = [*self.problems, *("\n".join(one.failures) for one in self.failed)]
        count = f"{len(self.played)} stories, {len(self.played) - len(self.failed)} as written"
        return "\n".join([*(problems or self.unreached_scenarios), count])


def run_stories(paths: Iterable[Path], programs_folder: Path) -> StoryReport:
    """Play every story of these files, or of the files in these folders."""
    cases, problems = find_cases(paths, programs_folder)
    return StoryReport([play(case) for case in cases], problems)


def find_cases(paths: Iterable[Path], programs_folder: Path) -> tuple[list[StoryCase], list[str]]:
    """Return the stories that can be played, and the problems of the others."""
    cases: list[StoryCase] = []
    problems: list[str] = []
    programs: dict[Path, Program] = {}
    for path in _files(paths):
        try:
            cases += _cases(path, programs_folder, programs)
        except (InvalidStories, InvalidProgram) as error:
            problems += str(error).splitlines()
    if not cases and not problems:
        problems.append("there is no story to play")
    return cases, problems


def play(case: StoryCase) -> StoryResult:
    """Play a story up to the first turn with an unmet expectation."""
    story, program_session, played = case.story, case.start, StoryResult(case)
    opening = program_session.context.text(program_session.context.question.question_text)
    played.failures.extend(_titled(case.title, missing_pieces("opens_with", opening, story.opens_with)))
    for number, turn in enumerate(story.turns, start=1):
        title = f'{case.title}, turn {number} ("{shorten(turn.say, _QUOTED_CHARACTERS)}")'
        if program_session.state.completed:
            played.failures.extend(_titled(title, ["the program was completed before"]))
            break
        outcome = send_message(program_session, turn.say)
        if outcome.coach_reply.prompt_id is not None:
            played.used_prompts.add(outcome.coach_reply.prompt_id)
        unmet = list(_titled(title, failures(outcome, turn.expect)))
        if unmet:
            played.failures.extend(unmet)
            break
        program_session = ProgramSession(outcome.next_step.state, program_session.program)
    return played


def send_message(program_session: ProgramSession, say: str) -> MessageResult:
    """Return the result of one message in a program session."""
    engine = CoachEngine()
    message = Message(
        user_id=program_session.state.user_id,
        conversation_id=program_session.state.session_id,
        client_message_id="story",
        fingerprint="",
        text=say,
    )
    analysis = engine.analyze(message, program_session)
    return MessageResult(
        program_session, analysis, engine.answer(message, program_session, analysis, lambda: None)
    )


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _cases(path: Path, programs_folder: Path, programs: dict[Path, Program]) -> Iterator[StoryCase]:
    content = read_stories(path)
    source = content.program_path(path, programs_folder)
    if source not in programs:
        if not source.is_file():
            raise InvalidStories([f"{path.name}: there is no program {source.name}"])
        programs[source] = parse(source.read_text(encoding="utf-8"), source.name)
    cases, problems = [], []
    for story in content.stories:
        try:
            cases.append(StoryCase(path.name, story, start_of(story, programs[source])))
        except NoSuchStart as error:
            problems.append(f'{path.name}, "{story.name}": {error}')
    if problems:
        raise InvalidStories(problems)
    yield from cases


def _titled(title: str, unmet: Iterable[str]) -> Iterator[str]:
    lines = [f"  {line}" for line in unmet]
    if lines:
        yield "\n".join([title, *lines])
