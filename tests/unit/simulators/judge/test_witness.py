"""A gateway of the oracle knows what it is owed, and can be unruly without losing anything."""

import json
import random

from simulators.gateways import Sample
from simulators.judge.oracle import Witness


def witness(messages: int) -> Witness:
    made = Witness("gw", random.Random(1))
    for number in range(messages):
        made.take([Sample("probe", number, {"ph": 8.0})])
    return made


def receipt(through: int, **reasons: str) -> bytes:
    rejected = [{"seq": int(name[1:]), "reason": reason} for name, reason in reasons.items()]
    return json.dumps({"epoch": "judged", "through": through, "rejected": rejected}).encode()


def test_what_a_receipt_covers_is_promised_and_what_it_rejects_is_told() -> None:
    gateway = witness(5)
    while gateway.next(0.0):
        pass
    gateway.receipt(receipt(3, n2="conflict"), 1.0)
    assert gateway.receipted == {1, 2, 3}
    assert gateway.rejected == {2: "conflict"}
    assert [samples[0].time for samples in gateway.messages] == [0, 1, 2, 3, 4]


def test_an_unruly_one_sends_everything_in_any_order_and_some_of_it_twice() -> None:
    gateway = witness(50)
    gateway.unruly = True
    sent = []
    while (message := gateway.next(0.0)) is not None:
        sent.append(message.seq)
    assert set(sent) == set(range(1, 51))
    assert sent != sorted(sent)
    assert len(sent) > 50
