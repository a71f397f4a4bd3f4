"""The words of transcripts and summaries that nobody said, in the session's language or else in English."""

from functools import cache
from importlib.resources import files

import yaml


def labels(locale: str) -> dict[str, str]:
    """The labels for a locale such as `de` or `de-CH`."""
    known = _read()
    return known.get(locale.replace("_", "-").split("-")[0].lower(), known["en"])


@cache
def _read() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("ui_texts.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found
