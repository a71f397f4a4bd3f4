"""The same stack in containers, by Docker Compose."""

import shutil
import subprocess

from cogniflow_dev.cli.next_steps import print_next_steps
from cogniflow_dev.cli.terminal import console, fail
from cogniflow_dev.dotenv import read_env, write_env
from cogniflow_dev.paths import repository_root
from cogniflow_dev.stack import DEMO_LOGINS

_READY_SECONDS = 600


def compose_up() -> None:
    """Build the images and start the containers in the background; returns when all are healthy."""
    root = repository_root()
    settings_file = root / ".env"
    compose = _compose()
    if not settings_file.exists():
        replaced = write_env(settings_file, root / ".env.example")
        console.print(f"Wrote {settings_file} with random secrets")
        for name, port in replaced.items():
            console.print(f"{name} is {port}, since the usual one was taken", style="yellow")
    command = [*compose, "up", "--build", "--detach", "--wait", "--wait-timeout", str(_READY_SECONDS)]
    # Compose shows its progress itself.
    if subprocess.run(command, check=False, cwd=root).returncode:
        fail(
            "Docker Compose could not start everything.",
            "`docker compose ps` and `docker compose logs` show more; `./scripts/down --docker` stops it.",
        )
    settings = read_env(settings_file)
    logins = {name: settings[f"DEMO_{name.upper()}_PASSWORD"] for name in DEMO_LOGINS}
    address = settings["PUBLIC_URL"]
    steps = {
        f".venv/bin/cogniflow import-course FILE --address {address}": "import an Open edX course",
        "docker compose ps": "health of every container",
        "docker compose logs -f": "what they are doing",
        "./scripts/down --docker": "stop everything; the data stays",
    }
    print_next_steps(address, logins, steps)


def compose_down() -> None:
    """Stop and remove the containers; the volumes with the data stay."""
    if subprocess.run([*_compose(), "down"], check=False, cwd=repository_root()).returncode:
        fail("Docker Compose could not stop everything.", "`docker compose ps` shows what still runs.")


def _compose() -> list[str]:
    """The command line of Compose. Ends our command if Docker or Compose v2 is missing or doesn't answer."""
    docker = shutil.which("docker")
    if not docker:
        fail("Docker is not installed.", "Install it, or leave out --docker to use local servers.")
    command = [docker, "compose"]
    if subprocess.run([*command, "version"], check=False, capture_output=True).returncode:
        fail("Docker has no Compose plugin of version 2.", "Install docker-compose-plugin.")
    if subprocess.run([docker, "info"], check=False, capture_output=True).returncode:
        fail("The Docker engine does not answer.", "Start it, or join the group `docker`.")
    return command
