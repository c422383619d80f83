"""What a simulated gateway numbers, keeps, sends again and counts."""

import json
from collections.abc import Sequence

import pytest

from simulators.dialects import Manner, Sample
from simulators.gateways import AGAIN_SECONDS, MOST_KEPT, Gateway, Outgoing, account

SAMPLES = [Sample("probe", n * 1_000_000, {"ph": 8.1}) for n in range(3)]
TASMOTA = Manner(dialect="tasmota", topic="tele/+/SENSOR")


def gateway_with(samples: Sequence[Sample], manner: Manner = Manner()) -> Gateway:  # noqa: B008
    gateway = Gateway("gw", epoch="b7", manner=manner)
    for sample in samples:
        gateway.take([sample])
    return gateway


def sent(gateway: Gateway, at: float = 0.0) -> list[Outgoing]:
    """What goes out now."""
    found = []
    while (message := gateway.next(at)) is not None:
        found.append(message)
    return found


def receipt(through: int, *rejected: dict[str, object], epoch: str = "b7") -> bytes:
    return json.dumps({"epoch": epoch, "through": through, "rejected": rejected}).encode()


def test_it_numbers_its_messages_from_one() -> None:
    messages = sent(gateway_with(SAMPLES))
    assert [message.seq for message in messages] == [1, 2, 3]
    assert {message.topic for message in messages} == {"andaman/v1/gw/up/readings"}
    assert [json.loads(message.body)["seq"] for message in messages] == [1, 2, 3]


def test_it_writes_many_reports_into_one_message() -> None:
    gateway = Gateway("gw", epoch="b7")
    gateway.take(SAMPLES[:2])
    (message,) = sent(gateway)
    assert json.loads(message.body) == {
        "epoch": "b7",
        "seq": 1,
        "readings": [
            {"device": "probe", "time": "1970-01-01T00:00:00Z", "values": {"ph": 8.1}},
            {"device": "probe", "time": "1970-01-01T00:00:01Z", "values": {"ph": 8.1}},
        ],
    }


def test_the_broker_s_acknowledgement_settles_nothing_in_the_native_dialect() -> None:
    gateway = gateway_with(SAMPLES[:1])
    gateway.acknowledged(sent(gateway)[0])
    assert not gateway.settled
    gateway.receipt(receipt(1), 1.0)
    assert gateway.settled


def test_it_settles_a_message_in_another_dialect() -> None:
    gateway = gateway_with(SAMPLES[:1], TASMOTA)
    gateway.acknowledged(sent(gateway)[0])
    assert gateway.settled
    assert gateway.account.receipted == 0


def test_a_receipt_settles_all_up_to_its_number() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    gateway.receipt(receipt(2), 1.0)
    assert gateway.account.waiting == 1


def test_a_receipt_of_another_epoch_settles_nothing() -> None:
    gateway = gateway_with(SAMPLES)
    gateway.receipt(receipt(3, epoch="a1"), 1.0)
    assert gateway.account.waiting == 3


def test_it_counts_refusals_by_reason_each_message_once() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    refused = {"seq": 1, "reason": "unknown-device"}
    gateway.receipt(receipt(1, refused), 1.0)
    gateway.receipt(receipt(3, refused, {"seq": 2, "through": 3, "reason": "missing"}), 2.0)
    assert gateway.account.rejected == {"unknown-device": 1, "missing": 2}


@pytest.mark.parametrize(
    ("times", "again"),
    [
        pytest.param([AGAIN_SECONDS - 0.1], [0], id="not yet"),
        pytest.param([AGAIN_SECONDS], [3], id="in time"),
        pytest.param([AGAIN_SECONDS, 2 * AGAIN_SECONDS], [3, 0], id="then it is more patient"),
        pytest.param([AGAIN_SECONDS, 3 * AGAIN_SECONDS], [3, 3], id="twice as patient"),
    ],
)
def test_it_sends_again_what_no_receipt_tells_of(times: list[float], again: list[int]) -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    found = []
    for at in times:
        gateway.look(at)
        found.append(len(sent(gateway, at)))
    assert found == again


def test_it_waits_while_receipts_make_progress() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    gateway.receipt(receipt(1), AGAIN_SECONDS)
    gateway.look(AGAIN_SECONDS + 1)
    assert sent(gateway) == []


def test_it_is_as_patient_as_receipts_are_slow() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    gateway.receipt(receipt(1), 20.0)
    found = []
    for at in (20.0 + AGAIN_SECONDS, 59.9, 60.0):
        gateway.look(at)
        found.append(len(sent(gateway, at)))
    assert found == [0, 0, 2]


def test_what_was_sent_a_moment_ago_is_not_sent_again() -> None:
    gateway = gateway_with(SAMPLES[:2])
    first = gateway.next(0.0)
    sent(gateway, AGAIN_SECONDS - 1)
    gateway.look(AGAIN_SECONDS)
    assert [message.seq for message in sent(gateway)] == [first.seq if first else None]


def test_how_slow_receipts_are_is_not_told_by_what_was_sent_twice() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    gateway.look(AGAIN_SECONDS)
    sent(gateway, AGAIN_SECONDS)
    gateway.receipt(receipt(1), 20.0)
    gateway.look(20.0 + 2 * AGAIN_SECONDS)
    assert len(sent(gateway)) == 2


def test_a_new_connection_brings_again_what_is_not_under_way_the_oldest_first() -> None:
    gateway = gateway_with(SAMPLES)
    sent(gateway)
    gateway.take(SAMPLES[:1])
    gateway.came_back({2}, 1.0)
    assert [message.seq for message in sent(gateway)] == [1, 3, 4]


def test_what_is_sent_again_counts_once() -> None:
    gateway = gateway_with(SAMPLES[:1])
    for message in sent(gateway):
        gateway.acknowledged(message)
    gateway.came_back(set(), 1.0)
    for message in sent(gateway):
        gateway.acknowledged(message)
    found = gateway.account
    assert (found.published, found.acknowledged, found.again) == (1, 1, 1)


def test_a_full_buffer_drops_the_oldest_message() -> None:
    gateway = Gateway("gw", epoch="b7")
    for number in range(MOST_KEPT + 2):
        gateway.take([Sample("probe", number, {"ph": 8.1})])
    assert (gateway.room, gateway.account.dropped) == (0, 2)
    assert [message.seq for message in sent(gateway)][:2] == [3, 4]


def test_accounts_add_up() -> None:
    gateways = [gateway_with(SAMPLES), gateway_with(SAMPLES, TASMOTA)]
    for gateway in gateways:
        for message in sent(gateway):
            gateway.acknowledged(message)
    gateways[0].receipt(receipt(2), 1.0)
    found = account(gateways)
    assert (found.readings, found.published, found.acknowledged) == (6, 6, 6)
    assert (found.receipted, found.waiting) == (2, 1)
