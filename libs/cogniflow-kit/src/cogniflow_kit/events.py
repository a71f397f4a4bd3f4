"""A fact that leaves a service: what happened, who did it, when."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.ids import new_id, utc_now

EVENTS_SCOPE = "events:write"


class Event(BaseModel):
    """Facts carry ids and counts, never what somebody wrote."""

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
    """The consumer's answer: an event it has seen before counts as accepted."""

    accepted: int
    rejected: list[Rejection] = []


class Outbox(Protocol):
    """Where a service keeps facts until they are delivered."""

    def relay_batch(self, deliver: "Deliver") -> int:
        """Hand the oldest undelivered facts over and mark them; return how many."""


class Deliver:
    """Sends a batch to analytics-service. Repeating it is harmless: ids are unique there."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def __call__(self, events: list[Event]) -> Delivery:
        body = {"events": [event.model_dump(mode="json") for event in events]}
        answer = self._client.post("/internal/events", scope=EVENTS_SCOPE, json=body)
        return Delivery.model_validate(answer.raise_for_status().json())
