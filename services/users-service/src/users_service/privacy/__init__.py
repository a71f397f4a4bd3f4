"""Personal data: exported as one archive, or erased, in all services."""
