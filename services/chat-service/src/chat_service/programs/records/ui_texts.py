"""Translated UI texts of transcripts and summaries; English for other languages."""

from functools import cache
from importlib.resources import files

import yaml


def ui_texts(locale: str) -> dict[str, str]:
    """Return the UI texts for a locale such as `de` or `de-CH`."""
    known = _read()
    return known.get(locale.replace("_", "-").split("-")[0].lower(), known["en"])


@cache
def _read() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("ui_texts.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found
