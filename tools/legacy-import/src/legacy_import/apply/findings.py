"""Today's safety check on yesterday's messages, only where it is asked for."""

from uuid import UUID

from chat_service.safety.detection.check import check
from legacy_import.apply.identity import legacy_uuid
from legacy_import.apply.plan import SessionPlan


def add_finding(plan: SessionPlan, turn_id: UUID, text: str) -> None:
    """Today's check on an old message: a detection for review, made now, with nothing shown to anybody."""
    risk = check(text, plan.target.program.locale)
    if risk is None:
        return
    detection_id = legacy_uuid("check", turn_id)
    plan.rows.add(
        "risk_detections",
        **plan.own,
        detection_id=detection_id,
        turn_id=turn_id,
        category=risk.category,
        severity=risk.severity,
        subject=risk.subject,
        resources_shown=False,
        detected_at=plan.now,
    )
    plan.rows.add(
        "risk_reviews", review_id=legacy_uuid("review", turn_id), detection_id=detection_id, status="open"
    )
