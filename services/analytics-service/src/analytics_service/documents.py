"""The MongoDB collection of analytics-service, and event types with a special meaning."""

INTERACTION_LOGS = "interaction_logs"

STAFF_EVENT_TYPES = ("course.imported",)
"""Event types caused by staff; their actors are not counted as learners."""
