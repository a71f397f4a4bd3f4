"""Errors of exports and erasures."""

from cogniflow_kit.errors import Conflict, NotFound


class ExportNotFound(NotFound):
    """Unknown, or another user's export."""

    code = "export_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such export.")


class ExportNotReady(Conflict):
    code = "export_not_ready"

    def __init__(self) -> None:
        super().__init__("The archive is still being made; ask for its progress.")


class ExportGone(NotFound):
    """The archive was downloaded or has expired, or the export failed."""

    code = "export_gone"

    def __init__(self) -> None:
        super().__init__("The archive was downloaded or has expired; ask for a new one.")


class ErasureNotFound(NotFound):
    code = "erasure_not_found"

    def __init__(self) -> None:
        super().__init__("You haven't asked for an erasure.")


class ErasureRunning(Conflict):
    code = "erasure_running"

    def __init__(self) -> None:
        super().__init__("The erasure has begun and can't be stopped any more.")
