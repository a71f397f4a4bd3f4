"""Where the repository and the running stack keep their files."""

import os
from pathlib import Path


def repository_root() -> Path:
    """The checkout this package is installed from (in editable mode, as the workspace does).

    Raises FileNotFoundError when the package was copied out of its checkout:
    the deployment files it starts the servers with are not part of the wheel.
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
