"""The `cogniflow` command."""

import typer

from cogniflow_dev.cli.bench import bench
from cogniflow_dev.cli.doctor import doctor
from cogniflow_dev.cli.down import down
from cogniflow_dev.cli.import_course import import_course
from cogniflow_dev.cli.info import info
from cogniflow_dev.cli.keys import keys
from cogniflow_dev.cli.logs import logs
from cogniflow_dev.cli.mails import mails
from cogniflow_dev.cli.migrate_legacy import migrate_legacy
from cogniflow_dev.cli.programs import programs
from cogniflow_dev.cli.restart import restart
from cogniflow_dev.cli.status import status
from cogniflow_dev.cli.up import up
from cogniflow_dev.cli.users import users

app = typer.Typer(
    help="Run and administer CogniFlow.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no stack is running.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
for command in (up, down, status, info, logs, restart, doctor, import_course, mails, migrate_legacy):
    app.command()(command)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")
app.add_typer(programs, name="programs")
