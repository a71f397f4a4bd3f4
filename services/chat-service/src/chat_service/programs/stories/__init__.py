"""Stories: conversations that a program must lead as its author wrote them."""
