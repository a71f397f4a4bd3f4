"""What chat-service reads from its environment."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """`content_dir`: the folder with the bundled programmes, in `programs/`.

    `spool_dir`: where turns are kept on disk while PostgreSQL is away; each
    process needs one of its own. Without it they are refused then.
    """

    service: ClassVar[str] = "chat-service"
    schema_name: ClassVar[str] = "chat"

    mongo_url: SecretStr
    content_dir: Path
    spool_dir: Path | None = None
