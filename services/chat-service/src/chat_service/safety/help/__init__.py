"""Places to find help, by locale; packaged, so that they show with every store down."""
