"""Stories: conversations in YAML that a program has to lead as written."""
