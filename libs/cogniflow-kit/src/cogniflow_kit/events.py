"""Events: facts that a service reports to analytics-service."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.ids import new_id, utc_now

EVENTS_SCOPE = "events:write"


class Event(BaseModel):
    """What happened, who did it and when. `data` holds ids and counts, never text that a person wrote."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID = Field(default_factory=new_id)
    type: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=64)
    occurred_at: datetime = Field(default_factory=utc_now)
    actor_id: UUID | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Rejection(BaseModel):
    id: UUID
    reason: str


class Delivery(BaseModel):
    """The consumer's response; an event it already has counts as accepted."""

    accepted: int
    rejected: list[Rejection] = []


class Outbox(Protocol):
    """Events of one store that are not delivered yet."""

    def relay_batch(self, deliver: "EventSender") -> int:
        """Deliver the oldest events and mark them as delivered; returns their number."""


class EventSender:
    """Sends a batch to analytics-service, which ignores events it already has."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def __call__(self, events: list[Event]) -> Delivery:
        body = {"events": [event.model_dump(mode="json") for event in events]}
        answer = self._client.post("/internal/events", scope=EVENTS_SCOPE, json=body)
        return Delivery.model_validate(answer.raise_for_status().json())
