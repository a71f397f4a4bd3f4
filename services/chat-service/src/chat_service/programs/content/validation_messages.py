"""What is wrong with a program's text, in words that name the week and the question."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

_NUMBERED = (("weeks", "week", "week_number"), ("questions", "question", "question_number"))
_NAMED = (("prompts", "prompt", "prompt_type"), ("content_blocks", "content block", "block_name"))
_UNION = ("Rule", "Checklist")
_IN_WORDS = {
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


def yaml_fault(error: yaml.YAMLError) -> str:
    """The line and what is wrong there."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"


def shape_faults(error: ValidationError, content: Any) -> Iterator[str]:
    """Each field that isn't as it has to be; `content` is what was read."""
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        fault = _fault(found, content)
        if fault is not None:
            yield fault


def _fault(found: Mapping[str, Any], content: Any) -> str | None:
    places, keys = [], list(found["loc"])
    for key, word, number in _NUMBERED:
        if keys[:1] == [key] and len(keys) > 1:
            content = content[key][keys[1]]
            places.append(f"{word} {_own(content, number, int) or keys[1] + 1}")
            keys = keys[2:]
    place = ", ".join(places)
    for key, word, name in _NAMED:
        if keys[:1] == [key] and len(keys) > 1:
            content = content[key][keys[1]]
            part = f"{word} {_own(content, name, str) or keys[1] + 1}"
            separator = ": " if key == "prompts" else ", "
            place = f"{place}{separator}{part}"
            keys = keys[2:]
    if _of_the_other_kind(keys, content):
        return None
    subject = ".".join(str(key) for key in keys if key not in _UNION)
    return ": ".join(filter(None, (place, subject, _said(found))))


def _own(part: Any, key: str, kind: type) -> Any:
    """How the part calls itself, where it does so properly."""
    value = part.get(key) if isinstance(part, dict) else None
    return value if type(value) is kind else None


def _of_the_other_kind(keys: list[int | str], prompt: Any) -> bool:
    """Conditions are a rule or a list of items; only the faults of what was meant are of interest."""
    if len(keys) < 2 or keys[0] != "conditions" or keys[1] not in _UNION:
        return False
    conditions = prompt["conditions"]
    meant = "Checklist" if isinstance(conditions, dict) and "items" in conditions else "Rule"
    return keys[1] != meant


def _said(found: Mapping[str, Any]) -> str:
    return _IN_WORDS.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
