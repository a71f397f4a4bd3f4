"""supervisord, which runs the processes of the local stack and restarts them."""

from cogniflow_dev.supervision.supervisor import ProcessState, Supervisor, SupervisorError

__all__ = ["ProcessState", "Supervisor", "SupervisorError"]
