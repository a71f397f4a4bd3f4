"""What courses-service reads from its environment."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """`content_dir`: the bundled content, whose courses are the demo data."""

    service: ClassVar[str] = "courses-service"
    schema_name: ClassVar[str] = "courses"

    mongo_url: SecretStr
    content_dir: Path = Path("content")
