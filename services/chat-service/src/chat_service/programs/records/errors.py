"""Errors of the records feature."""

from cogniflow_kit.errors import TooLarge, Unavailable


class TranscriptTooLong(TooLarge):
    code = "transcript_too_long"

    def __init__(self) -> None:
        super().__init__("This is too long for one PDF; ask for one week, or for Markdown or JSON.")


class TranscriptBusy(Unavailable):
    code = "transcript_busy"

    def __init__(self) -> None:
        super().__init__("Other transcripts are being made; try again shortly.")
