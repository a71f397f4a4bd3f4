"""Stores conversations with LangGraph's PostgresSaver; prints times and WAL as JSON.

    python langgraph_turns.py POSTGRESQL_URL CONVERSATIONS TURNS ANSWER

The graph is the smallest that stores a conversation: one node that adds an
answer to the messages. bench/turn_storage.py runs it in an environment with
LangGraph.
"""

import json
import operator
import sys
import time
from typing import Annotated, TypedDict
from uuid import uuid4

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph

REPLY = "Thank you. That is a clear step, and it has a day. What would make it a little easier still?"


class Conversation(TypedDict):
    messages: Annotated[list[dict[str, str]], operator.add]


def answer(_: Conversation) -> dict[str, list[dict[str, str]]]:
    return {"messages": [{"sender": "nova", "text": REPLY}]}


def main() -> None:
    url, conversations, turns, said = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    graph = StateGraph(Conversation)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    times: list[float] = []
    with PostgresSaver.from_conn_string(url) as saver, psycopg.connect(url) as other:
        saver.setup()
        app = graph.compile(checkpointer=saver)
        before = wal(other)
        for _ in range(conversations):
            thread = {"configurable": {"thread_id": str(uuid4())}}
            for _ in range(turns):
                since = time.perf_counter()
                app.invoke({"messages": [{"sender": "user", "text": said}]}, thread)
                times.append((time.perf_counter() - since) * 1000)
        written = wal(other) - before
    print(json.dumps({"times_ms": times, "wal_bytes": written}))


def wal(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    connection.commit()
    return int(row[0])


if __name__ == "__main__":
    main()
