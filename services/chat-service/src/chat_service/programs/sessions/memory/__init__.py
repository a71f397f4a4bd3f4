"""Sessions and turns of programs in this process alone, for USE_DB_PERSISTENCE=false."""
