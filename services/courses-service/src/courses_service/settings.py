"""Settings of courses-service, read from the environment."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """`content_dir`: folder of the bundled content; its courses are loaded as demo data."""

    service: ClassVar[str] = "courses-service"
    schema_name: ClassVar[str] = "courses"

    mongo_url: SecretStr
    content_dir: Path = Path("content")
