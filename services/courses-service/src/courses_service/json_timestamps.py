"""Timestamps in JSON that PostgreSQL builds, in the format that Pydantic uses elsewhere."""


def json_timestamp(column: str) -> str:
    """SQL that formats a timestamp column in UTC (every connection's time zone); NULL stays NULL."""
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
