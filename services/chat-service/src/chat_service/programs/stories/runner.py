"""Plays stories: conversations that a program must lead as their author wrote them.

The real engine reads and answers every message, safety check and intents
included; only stores and clocks are left out. `content/stories/README.md`
explains the format.
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
from chat_service.programs.stories.checks import Outcome, failures, lacking
from chat_service.programs.stories.format import InvalidStories, Story, read_stories
from chat_service.programs.stories.start import NoSuchStart, start_of
from chat_service.turns.model import Message

_QUOTED_CHARACTERS = 60


@dataclass(frozen=True)
class StoryCase:
    """A story, its program, and the place where it begins."""

    file: str
    story: Story
    start: ProgramSession

    @property
    def title(self) -> str:
        return f'{self.file}: "{self.story.name}"'


@dataclass(frozen=True)
class Played:
    """What came of a story; no failure means that all was as written. `spoken`: the ids of its prompts."""

    scene: StoryCase
    failures: list[str] = field(default_factory=list)
    spoken: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class Report:
    """`problems`: what kept stories from being played at all."""

    played: list[Played] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and not self.failed

    @property
    def failed(self) -> list[Played]:
        return [one for one in self.played if one.failures]

    @property
    def untold(self) -> list[str]:
        """The branches of the weeks played that no story leads to. That isn't a failure."""
        spoken = {prompt_id for one in self.played for prompt_id in one.spoken}
        weeks = {one.scene.start.week.week_id: one.scene.start for one in self.played}
        found = []
        for start in weeks.values():
            for question in start.week.questions:
                missed = [one.prompt_type for one in question.scenarios if one.prompt_id not in spoken]
                if missed:
                    location = f"week {start.week.week_number}, question {question.question_number}"
                    found.append(f"{start.program.slug}, {location}: no story leads to {', '.join(missed)}")
        return found

    def __str__(self) -> str:
        """Every problem and failure; where there is none, the branches without a story; then the count."""
        told = [*self.problems, *("\n".join(one.failures) for one in self.failed)]
        count = f"{len(self.played)} stories, {len(self.played) - len(self.failed)} as written"
        return "\n".join([*(told or self.untold), count])


def run_stories(paths: Iterable[Path], programs_folder: Path) -> Report:
    """Play every story of these files, or of the files in these folders."""
    scenes, problems = find_scenes(paths, programs_folder)
    return Report([play(scene) for scene in scenes], problems)


def find_scenes(paths: Iterable[Path], programs_folder: Path) -> tuple[list[StoryCase], list[str]]:
    """What can be played, and what is wrong with the rest."""
    scenes: list[StoryCase] = []
    problems: list[str] = []
    programs: dict[Path, Program] = {}
    for path in _files(paths):
        try:
            scenes += _scenes(path, programs_folder, programs)
        except (InvalidStories, InvalidProgram) as error:
            problems += str(error).splitlines()
    if not scenes and not problems:
        problems.append("there is no story to play")
    return scenes, problems


def play(scene: StoryCase) -> Played:
    """Play it up to the first turn that isn't as written."""
    story, program_session, played = scene.story, scene.start, Played(scene)
    opening = program_session.context.text(program_session.context.question.question_text)
    played.failures.extend(_told(scene.title, lacking("opens_with", opening, story.opens_with)))
    for number, turn in enumerate(story.turns, start=1):
        title = f'{scene.title}, turn {number} ("{shorten(turn.say, _QUOTED_CHARACTERS)}")'
        if program_session.state.completed:
            played.failures.extend(_told(title, ["the program was completed before"]))
            break
        outcome = take(program_session, turn.say)
        if outcome.coach_reply.prompt_id is not None:
            played.spoken.add(outcome.coach_reply.prompt_id)
        unmet = list(_told(title, failures(outcome, turn.expect)))
        if unmet:
            played.failures.extend(unmet)
            break
        program_session = ProgramSession(outcome.next_step.state, program_session.program)
    return played


def take(program_session: ProgramSession, say: str) -> Outcome:
    """What comes of a message at this place."""
    engine = CoachEngine()
    message = Message(
        user_id=program_session.state.user_id,
        conversation_id=program_session.state.session_id,
        client_message_id="story",
        fingerprint="",
        text=say,
    )
    analysis = engine.analyze(message, program_session)
    return Outcome(program_session, analysis, engine.answer(message, program_session, analysis, lambda: None))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _scenes(path: Path, programs_folder: Path, programs: dict[Path, Program]) -> Iterator[StoryCase]:
    content = read_stories(path)
    source = content.program_path(path, programs_folder)
    if source not in programs:
        if not source.is_file():
            raise InvalidStories([f"{path.name}: there is no program {source.name}"])
        programs[source] = parse(source.read_text(encoding="utf-8"), source.name)
    scenes, problems = [], []
    for story in content.stories:
        try:
            scenes.append(StoryCase(path.name, story, start_of(story, programs[source])))
        except NoSuchStart as error:
            problems.append(f'{path.name}, "{story.name}": {error}')
    if problems:
        raise InvalidStories(problems)
    yield from scenes


def _told(title: str, unmet: Iterable[str]) -> Iterator[str]:
    lines = [f"  {line}" for line in unmet]
    if lines:
        yield "\n".join([title, *lines])
