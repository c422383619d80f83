"""The pipeline thread over a pipeline that only takes notes."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import pytest

from core.errors import StorageError
from core.messages import Message
from ingest.pipeline import Pipeline
from ingest.worker import Worker

PATIENCE = 5.0


class Notes:
    """A pipeline that fails on the payload `bad`, and a ledger that refuses when it is told."""

    def __init__(self) -> None:
        self.log: list[tuple[str, list[int]]] = []
        self.refusals: list[str] = []  # of the next commits; an empty one lets the commit pass

    def settle(self, messages: Sequence[Message]) -> None:
        self._commit()
        if any(message.payload == b"bad" for message in messages):
            raise RuntimeError("a mistake of ours")
        self.log.append(("settle", mids(messages)))

    def quarantine(self, message: Message, detail: str) -> None:
        assert detail == "RuntimeError('a mistake of ours')"
        self.log.append(("quarantine", [message.mid]))

    def acknowledge(self, messages: Sequence[Message]) -> None:
        self.log.append(("acknowledge", mids(messages)))

    def job(self, number: int) -> Callable[[], int]:
        """A function to hand over."""

        def run() -> int:
            self.log.append(("job", [number]))
            return number

        return run

    def _commit(self) -> None:
        if self.refusals and (words := self.refusals.pop(0)):
            raise StorageError(words)


def mids(messages: Sequence[Message]) -> list[int]:
    return [message.mid for message in messages]


def messages(*payloads: bytes) -> list[Message]:
    """Numbered from 1 on."""
    return [Message(b"t", payload, n, 1, n) for n, payload in enumerate(payloads, 1)]


@contextmanager
def working(notes: Notes, *before: Message, most: int = 100) -> Iterator[Worker]:
    """A worker that finds the messages `before` when it starts."""
    pipeline = cast("Pipeline", notes)
    worker = Worker(pipeline, notes.acknowledge, most=most, wait_seconds=0.001)
    for message in before:
        worker.deliver(message)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(PATIENCE)
        assert not worker.health.alive


def pass_by(worker: Worker) -> None:
    """Wait until everything that was handed over before is done."""
    worker.submit(lambda: None).result(PATIENCE)


def test_it_keeps_the_order_of_messages_and_functions() -> None:
    notes = Notes()
    first, second, third = messages(b"a", b"b", b"c")
    worker = Worker(cast("Pipeline", notes), notes.acknowledge, most=100, wait_seconds=0.001)
    worker.deliver(first)
    worker.deliver(second)
    one = worker.submit(notes.job(1))
    worker.deliver(third)
    two = worker.submit(notes.job(2))
    assert worker.backlog() == 5
    worker.start()
    assert (one.result(PATIENCE), two.result(PATIENCE)) == (1, 2)
    worker.stop(PATIENCE)
    assert notes.log == [
        ("settle", [1, 2]),
        ("acknowledge", [1, 2]),
        ("job", [1]),
        ("settle", [3]),
        ("acknowledge", [3]),
        ("job", [2]),
    ]
    assert (worker.messages, worker.backlog()) == (3, 0)


def test_a_batch_is_no_larger_than_it_may_be() -> None:
    notes = Notes()
    with working(notes, *messages(*[b"x"] * 5), most=2) as worker:
        pass_by(worker)
    assert [found for what, found in notes.log if what == "settle"] == [[1, 2], [3, 4], [5]]


def test_what_a_function_raises_goes_to_who_asked() -> None:
    notes = Notes()

    def fail() -> None:
        raise StorageError("full")

    with working(notes) as worker:
        assert isinstance(worker.submit(fail).exception(PATIENCE), StorageError)
        assert worker.submit(notes.job(1)).result(PATIENCE) == 1


def test_a_function_that_nobody_waits_for_any_more_is_not_run() -> None:
    notes = Notes()
    worker = Worker(cast("Pipeline", notes), notes.acknowledge, most=1, wait_seconds=0.001)
    assert worker.submit(notes.job(1)).cancel()
    worker.start()
    assert worker.submit(notes.job(2)).result(PATIENCE) == 2
    worker.stop(PATIENCE)
    assert notes.log == [("job", [2])]


def test_it_tries_again_until_the_ledger_takes_the_batch_and_acknowledges_nothing_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = Notes()
    notes.refusals = ["disk full"]
    caplog.set_level(logging.INFO, "ingest.worker")
    with working(notes, *messages(b"a", b"b")) as worker:
        later = worker.submit(lambda: list(notes.log))
        assert later.result(PATIENCE) == [("settle", [1, 2]), ("acknowledge", [1, 2])]
        assert worker.health.failing == ""
    assert [record.message for record in caplog.records] == [
        "the ledger refuses a batch, nothing is acknowledged: disk full",
        "the ledger takes batches again",
    ]


def test_it_says_what_the_ledger_says_and_ends_without_an_acknowledgement() -> None:
    notes = Notes()
    notes.refusals = ["disk full"] * 100
    with working(notes, *messages(b"a")) as worker:
        waiting = worker.submit(notes.job(1))
        while not worker.health.failing:
            assert not waiting.done()
        assert worker.health.failing == "disk full"
        assert worker.health.alive
    assert notes.log == []


def test_it_finds_the_one_message_that_our_own_code_cannot_settle() -> None:
    notes = Notes()
    with working(notes, *messages(b"a", b"b", b"bad", b"d")) as worker:
        pass_by(worker)
        assert worker.messages == 4
    assert notes.log == [
        ("settle", [1, 2]),
        ("quarantine", [3]),
        ("settle", [4]),
        ("acknowledge", [1, 2, 3, 4]),
    ]


def test_a_refusal_on_the_way_to_the_bad_message_doubles_nothing() -> None:
    notes = Notes()
    notes.refusals = ["", "", "disk full"]  # the whole batch, the first half, then the second
    with working(notes, *messages(b"a", b"b", b"bad", b"d")) as worker:
        pass_by(worker)
    assert notes.log == [
        ("settle", [1, 2]),
        ("quarantine", [3]),
        ("settle", [4]),
        ("acknowledge", [1, 2, 3, 4]),
    ]


def test_it_settles_what_is_in_hand_before_it_ends() -> None:
    notes = Notes()
    with working(notes, *messages(*[b"x"] * 7), most=2):
        pass
    assert [n for what, found in notes.log if what == "acknowledge" for n in found] == [
        *range(1, 8)
    ]


def test_an_acknowledgement_that_fails_ends_nothing() -> None:
    notes = Notes()

    def fail(_: Sequence[Message]) -> None:
        raise ValueError("the connection is in a strange state")

    worker = Worker(cast("Pipeline", notes), fail, most=1, wait_seconds=0.001)
    for message in messages(b"a", b"b"):
        worker.deliver(message)
    worker.start()
    pass_by(worker)
    assert worker.health.alive
    worker.stop(PATIENCE)
    assert notes.log == [("settle", [1]), ("settle", [2])]
