"""Programs as authors write them: YAML form, loading, validation, placeholders, reachability."""
