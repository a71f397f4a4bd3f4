"""The queue of risk detections that admins review."""
