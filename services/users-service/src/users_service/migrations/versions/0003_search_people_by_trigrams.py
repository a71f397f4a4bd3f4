"""Index the trigrams of usernames, e-mail addresses and full names, for the search of people.

The function stands in for the extension pg_trgm, which the PostgreSQL of the
Python package (used without Docker) doesn't contain.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

TRIGRAMS = """
CREATE FUNCTION users.trigrams(VARIADIC texts text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(
    SELECT DISTINCT substr(lower(one), start, 3)
    FROM unnest(texts) AS one, generate_series(1, length(lower(one)) - 2) AS start
  )
"""
INDEX = """
CREATE INDEX ix_users_trigrams ON users.users
  USING gin (users.trigrams(VARIADIC ARRAY[username, email, full_name]))
"""


def upgrade() -> None:
    op.execute(TRIGRAMS)
    op.execute(INDEX)


def downgrade() -> None:
    op.execute("DROP INDEX users.ix_users_trigrams")
    op.execute("DROP FUNCTION users.trigrams(text[])")
