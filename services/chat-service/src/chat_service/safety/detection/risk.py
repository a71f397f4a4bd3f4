"""What the safety check can find."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["concern", "high", "imminent"]
Subject = Literal["self", "other"]
Category = Literal["suicide", "self_harm", "violence", "harm_to_others", "somebody_else"]

_SEVERITIES: tuple[Severity, ...] = ("concern", "high", "imminent")
_CATEGORIES: tuple[Category, ...] = ("somebody_else", "self_harm", "violence", "harm_to_others", "suicide")


@dataclass(frozen=True)
class Risk:
    """Who may be in danger, and how. It holds no word of the message.

    `violence` is suffered, `harm_to_others` done or thought of; whatever
    endangers a third person is `somebody_else`, and its subject `other`.
    """

    category: Category
    severity: Severity
    subject: Subject = "self"

    @property
    def gravity(self) -> tuple[int, int]:
        """Greater is graver."""
        return _SEVERITIES.index(self.severity), _CATEGORIES.index(self.category)
