"""How long the installation keeps what its programs say nothing about."""

from dataclasses import asdict, dataclass
from typing import Any

from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.registry import (
    ANONYMOUS_DAYS,
    DETECTIONS_DAYS,
    OPEN_REVIEWS_DAYS,
    TRANSCRIPT,
    Transcript,
)


@dataclass(frozen=True)
class Policy:
    """`open_reviews_days`: the longest that an open review keeps its detection, and that one its session."""

    sessions_days: int
    detections_days: int
    open_reviews_days: int
    transcript: Transcript

    @classmethod
    def read(cls, configuration: SettingsReader) -> "Policy":
        """As the settings are now. Raises when they can't be read: a default might delete too much."""
        configuration.renew()
        return cls(
            sessions_days=configuration.get(ANONYMOUS_DAYS),
            detections_days=configuration.get(DETECTIONS_DAYS),
            open_reviews_days=configuration.get(OPEN_REVIEWS_DAYS),
            transcript=configuration.get(TRANSCRIPT),
        )

    def values(self) -> dict[str, Any]:
        return asdict(self)
