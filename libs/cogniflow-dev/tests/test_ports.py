"""Which ports a stack gets."""

import socket
from collections.abc import Iterator

import pytest

from cogniflow_dev.ports import LOOPBACK, PortReservations, free_ports, is_free
from cogniflow_dev.stack import USUAL_PORTS
from cogniflow_dev.state import choose_ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def usual() -> dict[str, int]:
    """Usual ports that are free here, whatever else this machine runs."""
    return dict(zip(USUAL_PORTS, free_ports(len(USUAL_PORTS)), strict=True))


@pytest.fixture
def reservations() -> Iterator[PortReservations]:
    with PortReservations() as reservations:
        yield reservations


def test_a_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_the_usual_ports_are_taken_when_free(usual: dict[str, int], reservations: PortReservations) -> None:
    assert choose_ports({}, reservations, usual) == usual


def test_a_taken_port_is_replaced_and_the_others_stay(
    usual: dict[str, int], reservations: PortReservations, taken: int
) -> None:
    usual["gateway"] = taken
    chosen = choose_ports({}, reservations, usual)
    assert chosen["gateway"] != taken
    assert is_free(chosen["gateway"])
    assert {**chosen, "gateway": taken} == usual


def test_a_stack_keeps_its_ports_while_they_are_free(
    usual: dict[str, int], reservations: PortReservations
) -> None:
    (mine,) = free_ports(1)
    assert choose_ports({"gateway": mine}, reservations, usual)["gateway"] == mine


def test_a_kept_port_that_is_taken_by_now_gives_way_to_the_usual_one(
    usual: dict[str, int], reservations: PortReservations, taken: int
) -> None:
    assert choose_ports({"gateway": taken}, reservations, usual) == usual


def test_two_processes_never_share_a_port(usual: dict[str, int], reservations: PortReservations) -> None:
    chosen = choose_ports({"gateway": usual["redis"]}, reservations, usual)
    assert len(set(chosen.values())) == len(chosen)


def test_two_stacks_that_start_at_once_never_share_a_port(
    usual: dict[str, int], reservations: PortReservations
) -> None:
    first = choose_ports({}, reservations, usual)
    with PortReservations() as others:
        second = choose_ports({}, others, usual)
    assert not set(first.values()) & set(second.values())
    with PortReservations() as later:
        assert not any(later.reserve(port) for port in first.values())
