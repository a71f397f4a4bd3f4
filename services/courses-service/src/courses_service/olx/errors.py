"""Errors of reading a course archive. Their messages depend on what was found, so callers pass them."""

from cogniflow_kit.errors import TooLarge, Unprocessable


class MalformedArchive(Unprocessable):
    """The file is damaged, was manipulated, or is not an Open edX course."""

    code = "malformed_archive"


class ArchiveTooLarge(TooLarge):
    """The archive exceeds a limit, packed or unpacked."""

    code = "archive_too_large"


class NothingToImport(Unprocessable):
    """The course has no lesson or quiz that can be imported."""

    code = "nothing_to_import"

    def __init__(self) -> None:
        super().__init__("The archive holds no lesson or quiz that could be taken over.")
