"""The statements of an identity request, for both kinds of lower bound; braces stand for a parameter."""

ME = "SELECT row_to_json(u)::text AS body FROM users u WHERE id = CAST({id} AS uuid)"
REFRESH = (
    "WITH held AS (SELECT t.token_hash, s.id AS session_id, u.id AS user_id, u.role, t.expires_at"
    " FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id"
    " WHERE t.token_hash = {hash} AND t.spent_at IS NULL FOR SHARE OF u FOR UPDATE OF s, t),"
    " spent AS (UPDATE refresh_tokens t SET spent_at = now() FROM held"
    " WHERE t.token_hash = held.token_hash RETURNING held.session_id, held.expires_at),"
    " followed AS (INSERT INTO refresh_tokens (token_hash, session_id, expires_at)"
    " SELECT {next}, session_id, expires_at FROM spent),"
    " used AS (UPDATE user_sessions s SET last_used_at = now() FROM spent WHERE s.id = spent.session_id)"
    " SELECT user_id, role, session_id FROM held"
)
