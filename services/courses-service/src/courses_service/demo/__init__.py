"""The bundled courses, loaded as demo data."""
