"""Taking part in a program: routes, rules, and the stores of sessions and turns."""
