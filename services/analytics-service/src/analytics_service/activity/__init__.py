"""Course analytics for teaching staff, and learning streaks."""
