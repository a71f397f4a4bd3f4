"""Why an archive is refused."""

from cogniflow_kit.errors import TooLarge, Unprocessable


class MalformedArchive(Unprocessable):
    """Damaged, dishonest, or not an Open edX course; nothing of it is stored."""

    code = "malformed_archive"


class ArchiveTooLarge(TooLarge):
    """Larger than the limits, packed or unpacked; nothing of it is stored."""

    code = "archive_too_large"


class NothingToImport(Unprocessable):
    code = "nothing_to_import"
