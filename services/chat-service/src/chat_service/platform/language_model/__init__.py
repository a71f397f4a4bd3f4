"""A language model in the coach's place, where an operator set one up; when it fails the rules answer."""
