"""Refuse TRUNCATE on security events, too."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Row triggers don't fire on TRUNCATE.
APPEND_ONLY = """
CREATE TRIGGER keep_all_security_events BEFORE TRUNCATE ON users.security_events
  FOR EACH STATEMENT EXECUTE FUNCTION users.keep_security_events();
"""


def upgrade() -> None:
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_all_security_events ON users.security_events")
