"""Time zones in requests: IANA names of the tzdata package."""

from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, Field

# From the package, because containers have no zone files and those of machines differ.
NAMES = frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - {"Factory"}


def _known(name: str) -> str:
    if name not in NAMES:
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return name


Timezone = Annotated[
    str, Field(max_length=64, json_schema_extra={"enum": sorted(NAMES)}), AfterValidator(_known)
]
