"""Help while nothing can be kept: whoever may be in danger is shown where to find it, whatever is broken."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from chat_service.safety.detection.check import Risk, check, resources, supportive_answer
from cogniflow_kit.errors import ServiceError, Unavailable

log = structlog.stdlib.get_logger(__name__)


class HelpWhileAway(Unavailable):
    """The message isn't kept; `resources` are members of the problem."""

    def __init__(self, locale: str, risk: Risk) -> None:
        places = [place.model_dump(mode="json") for place in resources(locale)]
        super().__init__(supportive_answer(locale, risk), more={"resources": places})


@contextmanager
def help_shown(text: str, locale: str) -> Iterator[None]:
    """What fails inside the block fails with places to find help, where the words speak of danger.

    What is refused for good, such as another's session, stays refused.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ServiceError) and error.status < 500:
            raise
        risk = check(text, locale)
        if risk is None:
            raise
        log.warning("help is shown, a message isn't kept", error=type(error).__name__)
        raise HelpWhileAway(locale, risk) from error
