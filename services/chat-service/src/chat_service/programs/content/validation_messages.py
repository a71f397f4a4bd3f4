"""Validation messages: what is wrong with a program, and in which week, question and prompt."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml
from pydantic import ValidationError

_PARTS = (
    ("weeks", "week", "week_number", int),
    ("questions", "question", "question_number", int),
    ("prompts", "prompt", "prompt_type", str),
    ("content_blocks", "content block", "block_name", str),
)
"""Lists of a program: key, name of an item, key of its own name or number, and the type of that."""
_UNION = ("Rule", "Checklist")
_TEXTS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be keys with values",
    "extra_forbidden": "there is no such key",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be keys with values",
    "model_type": "must be keys with values",
    "string_too_short": "is empty",
    "string_type": "must be text; put it in quotes",
    "too_long": "has more parts than can be taken",
    "too_short": "is empty",
}


@dataclass(frozen=True, kw_only=True)
class ValidationMessage:
    """One problem of a program. `week`, `question` and `prompt` are set as far as it lies in one."""

    week: int | None = None
    question: int | None = None
    prompt: str | None = None
    message: str

    @property
    def place(self) -> str:
        named = (("week", self.week), ("question", self.question), ("prompt", self.prompt))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)

    def __str__(self) -> str:
        place = replace(self, prompt=None).place
        prompt = f"prompt {self.prompt}" if self.prompt is not None else ""
        return ": ".join(filter(None, (place, prompt, self.message)))


def yaml_message(error: yaml.YAMLError) -> ValidationMessage:
    """What the YAML parser found, with line and column."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ValidationMessage(message=str(error))
    mark = error.problem_mark
    return ValidationMessage(message=f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}")


def field_messages(error: ValidationError, content: Any) -> Iterator[ValidationMessage]:
    """One message for each invalid field; `content` is what the YAML text contains."""
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        message = _field_message(found, content)
        if message is not None:
            yield message


def _field_message(found: Mapping[str, Any], content: Any) -> ValidationMessage | None:
    parts: list[tuple[str, Any]] = []
    keys = list(found["loc"])
    for key, word, name, kind in _PARTS:
        if keys[:1] == [key] and len(keys) > 1:
            content = content[key][keys[1]]
            parts.append((word, _own(content, name, kind) or keys[1] + 1))
            keys = keys[2:]
    if _of_the_other_kind(keys, content):
        return None
    subject = ".".join(str(key) for key in keys if key not in _UNION)
    return _located(parts, ": ".join(filter(None, (subject, _text(found)))))


def _located(parts: list[tuple[str, Any]], message: str) -> ValidationMessage:
    """Week, question and prompt as fields; from the first invalid one on, and content blocks, in the text."""
    fields: dict[str, Any] = {}
    rest = ""
    for word, value in parts:
        if not rest and _is_place(word, value):
            fields[word] = str(value) if word == "prompt" else value
        else:
            separator = ": " if word == "prompt" else ", "
            rest = f"{rest}{separator if rest else ''}{word} {value}"
    return ValidationMessage(**fields, message=": ".join(filter(None, (rest, message))))


def _is_place(word: str, value: Any) -> bool:
    if word == "prompt":
        return re.fullmatch("[a-z0-9_]+", str(value)) is not None
    return word in ("week", "question") and value >= 0


def _own(part: Any, key: str, kind: type) -> Any:
    """The name or number that the part gives itself, if it has the right type."""
    value = part.get(key) if isinstance(part, dict) else None
    return value if type(value) is kind else None


def _of_the_other_kind(keys: list[int | str], prompt: Any) -> bool:
    """Whether the error is about the kind of conditions (rule or checklist) that the author did not mean."""
    if len(keys) < 2 or keys[0] != "conditions" or keys[1] not in _UNION:
        return False
    conditions = prompt["conditions"]
    meant = "Checklist" if isinstance(conditions, dict) and "items" in conditions else "Rule"
    return keys[1] != meant


def _text(found: Mapping[str, Any]) -> str:
    return _TEXTS.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
