"""The audit log: security events such as logins, role changes and key rotations."""
