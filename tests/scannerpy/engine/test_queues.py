"""Queues bounded in bytes."""

import threading

import pytest

from scannerpy._engine.queues import ByteQueue, Cancelled, Closed


def in_thread(act):
    outcome = []

    def run():
        try:
            outcome.append(act())
        except (Closed, Cancelled) as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_items_come_out_in_order_then_closed():
    queue = ByteQueue(10)
    queue.put("a", 4)
    queue.put("b", 4)
    assert queue.held == 8
    queue.close()
    assert [queue.get(), queue.get()] == ["a", "b"]
    assert queue.held == 0
    with pytest.raises(Closed):
        queue.get()


def test_an_item_larger_than_the_bound_is_let_in_alone():
    queue = ByteQueue(10)
    queue.put("huge", 1000)
    assert queue.held == 1000


def test_put_waits_for_room_in_bytes():
    queue = ByteQueue(10)
    queue.put("a", 6)
    thread, outcome = in_thread(lambda: queue.put("b", 6))
    thread.join(0.05)
    assert thread.is_alive()
    assert queue.get() == "a"
    thread.join(60)
    assert outcome == [None]
    assert queue.get() == "b"


@pytest.mark.parametrize("side", ["get", "put"])
def test_cancelling_wakes_whoever_waits(side):
    queue = ByteQueue(10)
    if side == "put":
        queue.put("a", 10)
    thread, outcome = in_thread(queue.get if side == "get" else lambda: queue.put("b", 1))
    thread.join(0.02)
    queue.cancel()
    thread.join(60)
    assert isinstance(outcome[0], Cancelled)
    for act in (queue.get, lambda: queue.put("c")):
        with pytest.raises(Cancelled):
            act()


def test_closing_wakes_a_waiting_reader():
    queue = ByteQueue(10)
    thread, outcome = in_thread(queue.get)
    queue.close()
    thread.join(60)
    assert isinstance(outcome[0], Closed)
