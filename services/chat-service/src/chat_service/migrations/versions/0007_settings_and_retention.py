"""Changes of settings can't be rewritten; sessions remember that their words were removed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# The tie to the person who made a change can be cut, nothing else. Triggers for each row don't fire for
# TRUNCATE.
_APPEND_ONLY = """
CREATE FUNCTION chat.keep_system_setting_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
      AND (NEW.change_id, NEW.setting_key, NEW.old_value, NEW.new_value, NEW.changed_at)
      IS NOT DISTINCT FROM (OLD.change_id, OLD.setting_key, OLD.old_value, OLD.new_value, OLD.changed_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'changes of settings are append-only';
END $$;
CREATE TRIGGER keep_system_setting_changes BEFORE UPDATE OR DELETE ON chat.system_setting_changes
  FOR EACH ROW EXECUTE FUNCTION chat.keep_system_setting_changes();
CREATE TRIGGER keep_all_system_setting_changes BEFORE TRUNCATE ON chat.system_setting_changes
  FOR EACH STATEMENT EXECUTE FUNCTION chat.keep_system_setting_changes();
"""


def upgrade() -> None:
    op.execute(_APPEND_ONLY)
    op.add_column(
        "sessions",
        sa.Column("transcript_removed_at", sa.DateTime(timezone=True), nullable=True),
        schema="chat",
    )
    op.create_index(
        "ix_sessions_transcript",
        "sessions",
        ["version_id"],
        schema="chat",
        postgresql_where=sa.text("completed AND transcript_removed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_transcript", table_name="sessions", schema="chat")
    op.drop_column("sessions", "transcript_removed_at", schema="chat")
    op.execute("DROP TRIGGER keep_all_system_setting_changes ON chat.system_setting_changes")
    op.execute("DROP TRIGGER keep_system_setting_changes ON chat.system_setting_changes")
    op.execute("DROP FUNCTION chat.keep_system_setting_changes()")
