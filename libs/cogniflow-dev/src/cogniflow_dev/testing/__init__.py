"""What tests stand on: the real stores, a private copy of each for every test process, real tokens."""
