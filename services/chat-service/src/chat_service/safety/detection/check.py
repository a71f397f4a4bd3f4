"""The safety check at the start of every turn.

It never blocks and never drops a message. In doubt it shows help: a needless
hint costs a glance, a missed cry for help may cost everything.
"""

from chat_service.safety.detection.lexicon import lexicons
from chat_service.safety.detection.risk import Risk, Severity, Subject
from chat_service.safety.detection.scan import risks
from chat_service.safety.detection.text import tokens
from chat_service.safety.help.places import Resource, help_text, resources, supportive_answer

__all__ = [
    "Resource",
    "Risk",
    "Severity",
    "Subject",
    "check",
    "help_text",
    "resources",
    "supportive_answer",
]


def check(text: str, locale: str = "en") -> Risk | None:
    """The gravest risk that the words speak of, read in the locale's language and in English."""
    read = tokens(text)
    found = (risk for lexicon in lexicons(locale) for risk in risks(lexicon, read))
    return max(found, key=lambda risk: risk.gravity, default=None)
