"""Reads a week of a program from a module's constants: questions, prompts, content blocks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from legacy_import.conversions import clean, parse_int
from legacy_import.ledger import Ledger
from legacy_import.week_modules.reader import Constants
from legacy_import.week_modules.values import SkippedValue, Value

_QUESTIONS, _PROMPTS = "QUESTIONS", "SYSTEM_PROMPTS"
_BLOCK = re.compile(r"WEEK_?(\d+)_[A-Z0-9_]+")
_FILE = re.compile(r"week[ _-]?(\d+)", re.IGNORECASE)
_NUMBER_IN_KEY = re.compile(r"\s*(?:q|question)?[ _-]?(\d{1,4})\s*", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_TEXT_KEYS = ("text", "question", "question_text")
_NAMES_OF_WEEK = ("week_number", "WEEK_NUMBER", "current_week", "WEEK", "week")
_ABOUT_WEEK = re.compile(r"(?:WEEK_?\d*_)?(TITLE|NAME|DESCRIPTION)", re.IGNORECASE)


@dataclass
class QuestionDraft:
    text: str
    prompts: dict[str, str] = field(default_factory=dict)
    question_type: str = "open_ended"
    choices: list[str] = field(default_factory=list)


@dataclass
class WeekModule:
    """A week module as written; question numbers are the module's own."""

    path: str
    number: int
    questions: dict[int, QuestionDraft] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    title: str = ""
    description: str = ""
    max_iterations: int = 3


def is_week_module(constants: Constants) -> bool:
    """Whether the module defines a week, or only constants for other modules."""
    names = {*constants.values, *(left.path[0] for left in constants.skipped)}
    return bool(names & {_QUESTIONS, _PROMPTS}) or any(_BLOCK.fullmatch(name) for name in names)


class WeekReader:
    """Reads a week from one module's constants; each question, prompt and block counts as a record."""

    def __init__(self, path: str, constants: Constants, ledger: Ledger) -> None:
        self._path = path
        self._constants = constants
        self._ledger = ledger

    def read(self) -> WeekModule | None:
        """Return None, with an error in the ledger, if the week's number is unknown."""
        self._ledger.count_read("modules")
        number = self._week_number()
        if number is None:
            return None
        week = WeekModule(self._path, number)
        self._read_questions(week)
        self._read_prompts(week)
        self._read_blocks(week)
        self._read_about(week)
        self._report_left_out()
        self._ledger.count_imported("modules")
        return week

    def _place(self, *path: str) -> str:
        return f"{self._path}:{self._constants.line(*path)}"

    def _week_number(self) -> int | None:
        number_in_module = next((n for name in _NAMES_OF_WEEK if (n := self._number(name)) is not None), None)
        in_name = _FILE.search(PurePath(self._path).stem)
        blocks = {int(match[1]) for name in self._constants.values if (match := _BLOCK.fullmatch(name))}
        number_in_name = int(in_name[1]) if in_name else None
        number_in_blocks = blocks.pop() if len(blocks) == 1 else None
        found = next(
            (n for n in (number_in_module, number_in_name, number_in_blocks) if n is not None and n > 0), None
        )
        missing = (
            "no week_number"
            if number_in_module is None
            else f"week_number is {number_in_module}, which is no week"
        )
        if found is None:
            self._ledger.skip("modules", self._path, "its week is unknown")
            self._ledger.error(
                self._path,
                f"{missing}, no weekN in the file's name, and no WEEKn_ constants alone",
            )
        elif number_in_module != found:
            source = "the file's name" if number_in_name is not None else "its WEEKn_ constants"
            self._ledger.warn(self._path, f"{missing}; taken as week {found} by {source}")
        elif number_in_name not in (None, found):
            self._ledger.warn(
                self._place("week_number"), f"week_number is {found}, the file's name says {number_in_name}"
            )
        return found

    def _number(self, name: str) -> int | None:
        return parse_int(self._constants.values.get(name))

    def _entries(self, name: str) -> Mapping[Any, Value]:
        """The entries of a dict, or of a list, numbered from 1."""
        found = self._constants.values.get(name)
        if isinstance(found, list):
            self._ledger.warn(self._place(name), f"{name} is a list; its items are numbered from 1")
            return dict(enumerate(found, start=1))
        if isinstance(found, dict):
            return found
        reason = "is missing" if found is None else "is no dict"
        self._ledger.warn(self._place(name), f"{name} {reason}")
        return {}

    def _question_number(self, name: str, key: object) -> int | None:
        number = parse_int(key)
        if number is None and isinstance(key, str) and (match := _NUMBER_IN_KEY.fullmatch(key)):
            number = int(match[1])
        if number is not None and not isinstance(key, int):
            self._ledger.note(self._place(name, str(key)), f"{name}[{key!r}] is taken as question {number}")
        return number if number is None or number > 0 else None

    def _read_questions(self, week: WeekModule) -> None:
        for key, value in self._entries(_QUESTIONS).items():
            self._ledger.count_read("questions")
            place = self._place(_QUESTIONS, str(key))
            number = self._question_number(_QUESTIONS, key)
            draft = _question(value)
            if number is None:
                self._ledger.skip("questions", place, f"its key {key!r:.40} is no question number")
            elif draft is None:
                self._ledger.skip("questions", place, "it has no text")
            elif number in week.questions:
                self._ledger.skip("questions", place, f"question {number} is given twice; the first stays")
            else:
                week.questions[number] = draft
                self._ledger.count_imported("questions")

    def _read_prompts(self, week: WeekModule) -> None:
        for key, prompts in self._entries(_PROMPTS).items():
            number = self._question_number(_PROMPTS, key)
            if not isinstance(prompts, dict):
                self._ledger.count_read("prompts")
                self._ledger.skip(
                    "prompts", self._place(_PROMPTS, str(key)), "the question's prompts are no dict"
                )
                continue
            for kind, text in prompts.items():
                self._ledger.count_read("prompts")
                self._read_prompt(week, number, str(kind), text, self._place(_PROMPTS, str(key), str(kind)))

    def _read_prompt(self, week: WeekModule, number: int | None, kind: str, text: Value, place: str) -> None:
        question = week.questions.get(number or 0)
        kind = kind.strip().lower()
        if question is None:
            self._ledger.skip("prompts", place, "its question is missing")
        elif not is_prompt_type(kind):
            self._ledger.skip("prompts", place, f"{kind!r} is no kind of prompt here")
        elif not isinstance(text, str) or not text.strip():
            self._ledger.skip("prompts", place, "it has no text")
        elif kind in question.prompts:
            self._ledger.skip(
                "prompts", place, f"{kind} of question {number} is given twice; the first stays"
            )
        else:
            question.prompts[kind] = clean(text)
            self._ledger.count_imported("prompts")

    def _read_blocks(self, week: WeekModule) -> None:
        """Read WEEKn_ constants, and all others that a text uses as a placeholder."""
        texts = [draft.text for draft in week.questions.values()]
        texts += [text for draft in week.questions.values() for text in draft.prompts.values()]
        named = {name for text in texts for name in _PLACEHOLDER.findall(text)}
        for name, value in self._constants.values.items():
            if not _BLOCK.fullmatch(name) and name not in named:
                continue
            self._ledger.count_read("blocks")
            if isinstance(value, str) and value.strip():
                week.blocks[name] = clean(value)
                self._ledger.count_imported("blocks")
            else:
                self._ledger.skip("blocks", self._place(name), "it is no text")

    def _read_about(self, week: WeekModule) -> None:
        iterations = self._number("MAX_ITERATIONS")
        if iterations is not None:
            week.max_iterations = min(3, max(1, iterations))
            if iterations != week.max_iterations:
                message = (
                    f"MAX_ITERATIONS is {iterations}; between 1 and 3 are possible: {week.max_iterations}"
                )
                self._ledger.warn(self._place("MAX_ITERATIONS"), message)
        for name, value in self._constants.values.items():
            about = _ABOUT_WEEK.fullmatch(name)
            if about and isinstance(value, str) and value.strip():
                if about[1].lower() == "description":
                    week.description = clean(value)
                elif about[1].lower() == "title":
                    week.title = clean(value)

    def _report_left_out(self) -> None:
        """Skip questions, prompts and blocks that are no constants; note all other skipped values."""
        whole = {left.path for left in self._constants.skipped}
        once = {(left.path, left.reason): left for left in reversed(self._constants.skipped)}
        for left in reversed(once.values()):
            place = f"{self._path}:{left.line}"
            kind = _record_kind(left)
            if kind is None:
                self._ledger.note(place, f"{left.name} is no constant: {left.reason}")
            elif not any(left.path[:length] in whole for length in range(1, len(left.path))):
                self._ledger.count_read(kind)
                self._ledger.skip(kind, place, f"{left.name} is no constant: {left.reason}")
        for line in self._constants.python_2_lines:
            self._ledger.warn(f"{self._path}:{line}", "a statement of Python 2 was passed over")


def is_prompt_type(kind: str) -> bool:
    known = ("classifier", "validation", "followup", "followup_respond", "skip_respond", "clarify_respond")
    return kind in known or re.fullmatch(r"scenario_[1-9]\d*_respond", kind) is not None


def _record_kind(left: SkippedValue) -> str | None:
    match left.path:
        case ("QUESTIONS", *_):
            return "questions"
        case ("SYSTEM_PROMPTS", *_):
            return "prompts"
        case (name,) if _BLOCK.fullmatch(name):
            return "blocks"
        case _:
            return None


def _question(value: Value) -> QuestionDraft | None:
    if isinstance(value, str):
        return QuestionDraft(clean(value)) if value.strip() else None
    if not isinstance(value, dict):
        return None
    text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
    if not isinstance(text, str) or not text.strip():
        return None
    draft = QuestionDraft(clean(text))
    given = value.get("choices", value.get("options"))
    choices = [choice for choice in given if isinstance(choice, str)] if isinstance(given, list) else []
    if len(choices) > 1:
        draft.question_type, draft.choices = "multiple_choice", choices
    elif value.get("type") == "yes_no" or value.get("question_type") == "yes_no":
        draft.question_type = "yes_no"
    return draft
