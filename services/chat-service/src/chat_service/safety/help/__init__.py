"""Shows places that help, by locale. Reads packaged files only, so it works while every store is down."""
