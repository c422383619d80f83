"""What gateways say of themselves: read or refused, and when it is news."""

import json
from dataclasses import replace

import pytest

from core.errors import DecodeError
from core.messages import Message, Refusal
from core.registry import Status
from ingest.status import changes, read_status, speaker

TOPIC = b"andaman/v1/gw/up/status"
UP = Status(gateway="gw", online=True, firmware="1.4", at=5, since=5)


@pytest.mark.parametrize(
    ("topic", "gateway"),
    [
        pytest.param(TOPIC, "gw", id="a status"),
        pytest.param(b"andaman/v1/gw/up/readings", None, id="readings"),
        pytest.param(b"andaman/v1/gw/x/up/status", None, id="a level too many"),
        pytest.param(b"andaman/v1//up/status", None, id="nobody"),
        pytest.param(b"andaman/v1/g.w/up/status", None, id="no gateway's id"),
        pytest.param(b"andaman/v1/\xff/up/status", None, id="no UTF-8"),
        pytest.param(b"zigbee2mqtt/up/status", None, id="somebody else's"),
    ],
)
def test_it_knows_whose_status_a_topic_brings(topic: bytes, gateway: str | None) -> None:
    assert speaker(topic) == gateway


@pytest.mark.parametrize(
    ("payload", "online", "firmware"),
    [
        pytest.param('{"online": true, "firmware": "1.4"}', True, "1.4", id="both"),
        pytest.param('{"online": false}', False, None, id="a last will"),
        pytest.param('{"online": true, "firmware": null}', True, None, id="null"),
        pytest.param('{"online": true, "uptime": 3}', True, None, id="more than we know"),
    ],
)
def test_it_reads_a_status(payload: str, online: bool, firmware: str | None) -> None:
    read = read_status(Message(TOPIC, payload.encode(), 7), "gw")
    assert read == Status(gateway="gw", online=online, firmware=firmware, at=7, since=7)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"", Refusal.NOT_JSON, id="empty"),
        pytest.param(b"online", Refusal.NOT_JSON, id="a word"),
        pytest.param(b'{"online": "yes"}', Refusal.WRONG_SHAPE, id="text"),
        pytest.param(b'{"online": 1}', Refusal.WRONG_SHAPE, id="a number"),
        pytest.param(b"{}", Refusal.WRONG_SHAPE, id="says nothing"),
        pytest.param(b"[]", Refusal.WRONG_SHAPE, id="a list"),
        pytest.param(b'{"online": true, "firmware": 3}', Refusal.WRONG_SHAPE, id="firmware"),
        pytest.param(
            json.dumps({"online": True, "firmware": "x" * 101}).encode(),
            Refusal.WRONG_SHAPE,
            id="a long firmware",
        ),
        pytest.param(b'{"online": true, "firmware": "\xff"}', Refusal.NOT_JSON, id="no UTF-8"),
        pytest.param(b'{"x":' + b"[" * 3000, Refusal.TOO_DEEP, id="deep"),
        pytest.param(b" " * 5000, Refusal.TOO_LARGE, id="large"),
    ],
)
def test_it_refuses_what_is_no_status(payload: bytes, reason: Refusal) -> None:
    with pytest.raises(DecodeError) as refused:
        read_status(Message(TOPIC, payload, 7), "gw")
    assert refused.value.reason is reason


def test_a_retained_status_may_be_from_any_time() -> None:
    with pytest.raises(DecodeError) as refused:
        read_status(Message(TOPIC, b'{"online": true}', 7, retain=True), "gw")
    assert refused.value.reason is Refusal.RETAINED


def test_only_what_is_new_is_a_change() -> None:
    again, gone = (
        replace(UP, at=6, since=6),
        replace(UP, online=False, firmware=None, at=7, since=7),
    )
    back = replace(UP, firmware="1.5", at=9, since=9)
    newer = replace(back, firmware="1.6", at=10, since=10)
    assert changes({}, [UP, again, gone, replace(gone, at=8, since=8), back, newer]) == [
        UP,
        replace(gone, firmware="1.4"),
        back,
        replace(newer, since=9),
    ]
    assert changes({"gw": UP}, [again]) == []
