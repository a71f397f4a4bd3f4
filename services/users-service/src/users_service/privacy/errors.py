"""Refusals of exports and erasures."""

from cogniflow_kit.errors import Conflict, NotFound


class ExportNotFound(NotFound):
    """Also for somebody else's."""

    code = "export_not_found"


class ExportNotReady(Conflict):
    code = "export_not_ready"


class ExportGone(NotFound):
    """It was downloaded or has expired."""

    code = "export_gone"


class ErasureNotFound(NotFound):
    code = "erasure_not_found"


class ErasureRunning(Conflict):
    code = "erasure_running"
