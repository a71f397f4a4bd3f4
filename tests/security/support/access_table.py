"""Reads access.md: which route lets whom in, and whose data it shows them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service_routes import Operation

FILE = Path(__file__).parents[1] / "access.md"
USERS = ("student", "instructor", "researcher", "admin")
ROLES = ("anonymous", *USERS, "service")
_ROW = re.compile(r"\| (\w+) \| `(\w+) (\S+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True)
class Rule:
    """One row. `scope` is what a service's token needs; `stranger` the status for what is another's.

    `by_key`: the key of an anonymous session opens it as well.
    """

    let_in: frozenset[str]
    scope: str
    whose: str
    stranger: int | None
    by_key: bool = False


@cache
def access_table() -> dict[Operation, Rule]:
    rows = [match.groups() for match in map(_ROW.fullmatch, FILE.read_text().splitlines()) if match]
    return {Operation(service, method, path): _rule(*rest) for service, method, path, *rest in rows}


def _rule(who: str, whose: str, stranger: str) -> Rule:
    named = who.replace(",", " ").split()
    words = [word for word in named if word != "key"]
    status = int(stranger) if stranger.strip().isdigit() else None
    if words[0] == "service":
        return Rule(frozenset({"service"}), words[1], whose.strip(), status)
    groups = {"anyone": set(ROLES), "users": set(USERS)}
    let_in: set[str] = set().union(*(groups.get(word, {word}) for word in words))
    return Rule(frozenset(let_in), "", whose.strip(), status, by_key="key" in named)


def is_public(operation: Operation) -> bool:
    """Routes that aren't in the table count as protected: it has to say so when one isn't."""
    rule = access_table().get(operation)
    return rule is not None and "anonymous" in rule.let_in
