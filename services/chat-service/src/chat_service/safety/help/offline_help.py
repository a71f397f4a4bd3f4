"""Shows help to people in danger when their message cannot be stored."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from chat_service.safety.detection.detector import detect_risk
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import help_locale, resources, supportive_answer
from cogniflow_kit.errors import ServiceError, Unavailable

log = structlog.stdlib.get_logger(__name__)


class UnavailableWithHelp(Unavailable):
    """The message was not stored. The problem has a supportive answer as `detail`, and `resources`."""

    def __init__(self, locale: str, risk: Risk) -> None:
        shown = help_locale(locale, risk)
        places = [place.model_dump(mode="json") for place in resources(shown)]
        super().__init__(supportive_answer(shown, risk), more={"resources": places})


@contextmanager
def help_on_failure(text: str, locale: str) -> Iterator[None]:
    """Check a message for risk when the block fails, and add help to the error.

    Errors below 500, such as a program session of another participant, pass
    through unchanged.
    Raises: UnavailableWithHelp (the block failed and the message has a risk)
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ServiceError) and error.status < 500:
            raise
        risk = detect_risk(text, locale)
        if risk is None:
            raise
        log.warning("message not stored, help shown instead", error=type(error).__name__)
        raise UnavailableWithHelp(locale, risk) from error
