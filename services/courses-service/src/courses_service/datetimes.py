"""Times in JSON that PostgreSQL builds, written as Pydantic writes them elsewhere."""


def moment(column: str) -> str:
    """SQL for a timestamp in UTC, which every connection's time zone is; null stays null."""
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
