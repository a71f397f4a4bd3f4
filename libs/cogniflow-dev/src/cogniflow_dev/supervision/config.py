"""The configuration file of supervisord, written at each start."""

import configparser
import hashlib
import io
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from cogniflow_dev.stack import Stack
from cogniflow_dev.topology import Process

# A socket path may have 107 bytes; supervisord first binds one with its process id appended.
_LONGEST_SOCKET_PATH = 95

# Groups stop one after the other, the last one first; the processes of a group stop together.
_GROUPS = ("stores", "services", "front")

# Line breaks, and what the format treats as a comment.
_INEXPRESSIBLE = re.compile(r"[\r\n]|\s[;#]")

_LOG_BYTES = "5MB"
_LOG_BACKUPS = "3"


def config_path(stack: Stack) -> Path:
    return stack.run_folder / "supervisord.conf"


def group_of(process: Process) -> str:
    """The group of a process: stores stop last, gateway and workers first."""
    if process.store:
        return "stores"
    return "services" if process.name.endswith("-service") else "front"


def socket_path(home: Path) -> Path:
    """The socket of supervisord: in the stack's folder, or in a private one in /tmp if that path is too long.

    Depends on `home` only, so that later commands find it in any environment.
    """
    natural = home / "run" / "supervisor.sock"
    if len(os.fsencode(natural)) <= _LONGEST_SOCKET_PATH:
        return natural
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp", f"cogniflow-{os.geteuid()}-{digest}", "supervisor.sock")  # noqa: S108 - see below


def make_socket_folder(path: Path) -> None:
    """Create the socket's private folder. Raises: PermissionError, if it belongs to another user."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user; remove it, or use a shorter COGNIFLOW_HOME")
    folder.chmod(0o700)


def remove_socket(path: Path, home: Path) -> None:
    """Remove the socket, and its folder if it is outside of `home`."""
    path.unlink(missing_ok=True)
    if not path.is_relative_to(home) and path.parent.exists():
        path.parent.rmdir()


class UnusableValue(ValueError):
    """A command or setting that supervisord's configuration format cannot express."""


def render(stack: Stack, processes: Sequence[Process]) -> str:
    """Return the configuration. It contains secrets: write it to a private file.

    Raises: UnusableValue, for paths with unusual characters.
    """
    config = configparser.RawConfigParser()
    config.read_dict(
        {
            "supervisord": {
                "nodaemon": "true",
                "silent": "true",
                "logfile": stack.log("supervisord"),
                "logfile_maxbytes": _LOG_BYTES,
                "logfile_backups": _LOG_BACKUPS,
                "pidfile": stack.run_folder / "supervisord.pid",
                "umask": "077",
                # Avoids supervisord's warning that it runs as root.
                **({"user": "root"} if os.geteuid() == 0 else {}),
            },
            "unix_http_server": {"file": socket_path(stack.home), "chmod": "0600"},
            "rpcinterface:supervisor": {
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
            **{
                f"group:{group}": {
                    "programs": ",".join(process.name for process in processes if group_of(process) == group),
                    "priority": str(priority),
                }
                for priority, group in enumerate(_GROUPS)
                if any(group_of(process) == group for process in processes)
            },
            **{f"program:{process.name}": _program(stack, process) for process in processes},
        }
    )
    for section in config.sections():
        for name, value in config[section].items():
            if _INEXPRESSIBLE.search(value):
                raise UnusableValue(f"supervisord cannot take this {name}: {value}; use a plainer path")
            config[section][name] = value.replace("%", "%%")
    text = io.StringIO()
    config.write(text)
    return text.getvalue()


def _program(stack: Stack, process: Process) -> dict[str, object]:
    return {
        "command": shlex.join(process.command),
        "environment": ",".join(_assignment(*setting) for setting in process.environment.items()),
        "directory": stack.run_folder,
        "autostart": "false",
        "autorestart": "true",
        # A process that fails at once is restarted after 1 s, 2 s, and so on, for about 3 minutes.
        "startsecs": "2",
        "startretries": "20",
        "stopsignal": process.stop_signal.name.removeprefix("SIG"),
        "stopwaitsecs": str(process.stop_seconds),
        # Only the process itself gets the stop signal, and stops its children; the rest is killed.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": stack.log(process.name),
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": _LOG_BACKUPS,
    }


def _assignment(name: str, value: str) -> str:
    if '"' in value or value != value.strip("'"):
        raise UnusableValue(f"supervisord cannot take {name} with these quotes: {value}; use a plainer path")
    return f'{name}="{value}"'
