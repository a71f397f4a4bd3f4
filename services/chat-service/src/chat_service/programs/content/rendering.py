"""A program as YAML that its authors would write: what `loader.parse` reads gives the same program."""

from textwrap import indent
from typing import Any

import yaml

from chat_service.programs.content.model import Program

_LAST = ("response_text", "next_question", "content_blocks", "questions", "prompts", "weeks")
_IDS = frozenset({"version_id", "week_id", "question_id", "prompt_id", "content_id"})
_PROMPTS = ("classifier", "scenario", "validation", "followup", "followup_respond", "skip_respond")
_WIDTH = 100
_LONG_TEXT = 60
_SHORT_ITEM = 40


def authored(program: Program) -> dict[str, Any]:
    """What an author has to say: no ids, no defaults; keys and parts in the usual order.

    Two programs say the same when this is equal.
    """
    plain: dict[str, Any] = _plain(program.model_dump(mode="json", exclude_defaults=True))
    for week in plain["weeks"]:
        if "content_blocks" in week:
            week["content_blocks"].sort(key=lambda block: block["block_name"])
        for question in week["questions"]:
            question["prompts"].sort(key=_place_of_prompt)
    return plain


def render(program: Program) -> str:
    """The YAML, with an empty line before each week and question."""
    content = authored(program)
    weeks = content.pop("weeks")
    return f"{_dump(content)}weeks:\n" + "\n".join(indent(_week(week), "  ") for week in weeks)


def _week(week: dict[str, Any]) -> str:
    questions = week.pop("questions")
    return f"{_dump([week])}  questions:\n" + "\n".join(indent(_dump([one]), "    ") for one in questions)


def _plain(part: Any) -> Any:
    if isinstance(part, list):
        return [_plain(one) for one in part]
    if not isinstance(part, dict):
        return part
    keys = sorted(part.keys() - _IDS, key=[*part].index)
    keys.sort(key=lambda key: _LAST.index(key) + 1 if key in _LAST else 0)
    return {key: _plain(part[key]) for key in keys}


def _place_of_prompt(prompt: dict[str, Any]) -> tuple[int, int, str]:
    """Scenarios by their numbers, between the classifier and the rest."""
    kind = prompt["prompt_type"]
    group = "scenario" if kind.startswith("scenario_") else kind
    place = _PROMPTS.index(group) if group in _PROMPTS else len(_PROMPTS)
    return place, len(kind), kind


class _Dumper(yaml.SafeDumper):
    """Text in folded blocks, short lists on one line, lists one level deeper than their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        return super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    """Block styles where nothing at the edges of a line could get lost, else quotes with escapes."""
    lines = value.removesuffix("\n").split("\n")
    if not all(line.isprintable() and line == line.strip() for line in lines):
        return '"'
    if len(lines) == 1 and not value.endswith("\n"):
        return ">" if len(value) > _LONG_TEXT else None
    return "|" if all(lines) else '"'


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    short = all(isinstance(one, str) and len(one) <= _SHORT_ITEM and one.isprintable() for one in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def _dump(part: Any) -> str:
    dumped: str = yaml.dump(
        part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=False
    )
    return dumped
