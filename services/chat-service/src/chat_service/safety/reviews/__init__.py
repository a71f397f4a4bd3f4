"""The queue of detections for people to look at."""
