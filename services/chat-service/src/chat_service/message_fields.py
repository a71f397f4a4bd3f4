"""Request fields that all messages of users and participants share."""

from typing import Annotated

from pydantic import StringConstraints

MAX_MESSAGE_CHARACTERS = 4000

MessageText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_MESSAGE_CHARACTERS)
]
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
