"""Reads YAML from authors: plain YAML within limits; errors name their line.

Anchors, tags and merges are refused. Programs don't need them, and with them
a short text can expand to a huge one.
"""

from typing import Any

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
"""A program needs 9 levels; far more would exhaust the stack."""

MAX_NUMBER = 2**31 - 1
"""What a column of numbers holds."""

_OPENS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class UniqueKeys(yaml.CSafeLoader):
    """Refuses a key that occurs twice; YAML would silently use the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                raise _error("a key must be a plain word", key)
            if key.value in seen:
                raise _error(f"{key.value} is given twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise _error("this is neither a number nor a date; put it in quotes", node) from error
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise _error(f"numbers go to {MAX_NUMBER}", node)
        return value


def load(text: str) -> Any:
    """Parse the text. Raises: yaml.YAMLError (with the line where it is known)."""
    if len(text.encode()) > MAX_BYTES:
        raise yaml.YAMLError(f"the text is larger than {MAX_BYTES} bytes")
    _check(text)
    return yaml.load(text, UniqueKeys)  # noqa: S506  # a safe loader


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        if depth > MAX_DEPTH:
            raise _error(f"nested more than {MAX_DEPTH} levels deep", event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _error("anchors and aliases are not used here; write the text out", event)
        if getattr(event, "tag", None) is not None:
            raise _error("tags are not used here", event)
        if isinstance(event, yaml.ScalarEvent) and "\x00" in event.value:
            raise _error("a NUL character can't be stored", event)


def _error(problem: str, where: Any) -> yaml.MarkedYAMLError:
    """`where`: a node or an event."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
