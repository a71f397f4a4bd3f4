"""The safety check at the start of every turn.

It never blocks and never drops a message. In doubt it shows help: a needless
hint costs a glance, a missed cry for help may cost everything.
"""

from chat_service.safety.help import Resource, help_text, resources, supportive_answer
from chat_service.safety.lexicon import lexicons
from chat_service.safety.risk import Risk, Severity, Subject
from chat_service.safety.scan import risks
from chat_service.safety.text import tokens

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
