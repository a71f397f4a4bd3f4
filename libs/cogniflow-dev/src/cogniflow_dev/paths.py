"""Folders of the repository and of the local stack."""

import os
from pathlib import Path


def repository_root() -> Path:
    """The checkout that this package is installed from, in editable mode.

    Raises: FileNotFoundError, if the package is not in a checkout: it needs the
    files in `deploy`, which are not part of the wheel.
    """
    for folder in Path(__file__).resolve().parents:
        if (folder / "deploy").is_dir() and (folder / "services").is_dir():
            return folder
    raise FileNotFoundError(
        "CogniFlow's checkout was not found; run this command from a clone of the repository"
    )


def stack_home() -> Path:
    """The folder of the local stack's data, secrets and logs; COGNIFLOW_HOME overrides it."""
    override = os.environ.get("COGNIFLOW_HOME")
    return Path(override).expanduser().resolve() if override else repository_root() / ".cogniflow"
