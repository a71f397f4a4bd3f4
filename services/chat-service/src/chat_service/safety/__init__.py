"""Detects that a person may be in danger, shows places that help, and queues detections for review."""
