"""Authoring of programs: validation, versions, version labels, experiments, and moving program sessions."""
