"""supervisord, which keeps the processes of the local stack running."""

from cogniflow_dev.supervision.supervisor import ProcessState, Supervisor, SupervisorError

__all__ = ["ProcessState", "Supervisor", "SupervisorError"]
