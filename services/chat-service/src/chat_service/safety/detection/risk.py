"""The result of the safety check."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["concern", "high", "imminent"]
Subject = Literal["self", "other"]
Category = Literal["suicide", "self_harm", "violence", "harm_to_others", "somebody_else"]

_SEVERITIES: tuple[Severity, ...] = ("concern", "high", "imminent")
_CATEGORIES: tuple[Category, ...] = ("somebody_else", "self_harm", "violence", "harm_to_others", "suicide")


@dataclass(frozen=True)
class Risk:
    """One risk found in a message. Holds no text of the message.

    `violence`: the sender suffers it. `harm_to_others`: the sender does it or
    thinks of it. `somebody_else`: any danger to a third person, in which case
    `subject` is `other`. `language`: of the words that show it (ISO 639-1), for the help shown.
    """

    category: Category
    severity: Severity
    subject: Subject = "self"
    language: str = field(default="en", compare=False)

    @property
    def rank(self) -> tuple[int, int]:
        """Sort key: severity first, then category. The gravest risk has the greatest key."""
        return _SEVERITIES.index(self.severity), _CATEGORIES.index(self.category)
