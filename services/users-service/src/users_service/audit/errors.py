"""Errors of role checks."""

from cogniflow_kit.errors import Forbidden


class AccessRefused(Forbidden):
    """The caller's role doesn't allow the route. The recorded attempt is committed all the same."""

    keeps_changes = True

    def __init__(self, detail: str = "Your role doesn't allow this.") -> None:
        super().__init__(detail)


class AdminPageRefused(AccessRefused):
    def __init__(self) -> None:
        super().__init__("Only admins may see this page.")
