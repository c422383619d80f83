"""A simulated gateway: a real MQTT client that speaks the native dialect.

It keeps what it sent until the broker has acknowledged it, over any loss of the connection.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from threading import Condition
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from core.times import iso

WINDOW = 40  # messages that wait for their acknowledgement at most
BULK = 50  # samples in one message of history: some 15 KB, the limit is 64 KiB
CONNECT_SECONDS = 2.0
FIRMWARE = "simulated-1"


class Sample(NamedTuple):
    """What one device sends at one time (µs): parameter → value in the catalogue's unit."""

    device: str
    time: int
    values: Mapping[str, float]


class GatewayStoppedError(Exception):
    """The gateway was stopped while it waited for acknowledgements."""


class Gateway:
    """One gateway with its own credential; its id is its user name and client id.

    `epoch` names this run of its counter: another run needs another one. `publish` may be called
    from one thread at a time; `stop` ends its waiting.
    """

    def __init__(self, gateway: str, *, host: str, port: int, password: str, epoch: str) -> None:
        self.id = gateway
        self.epoch = epoch
        self.published = 0
        self.acknowledged = 0
        self.connections = 0
        self._address = (host, port)
        self._seq = count(1)
        self._changed = Condition()
        self._stopped = False
        self._status_mids: set[int] = set()
        self._client = self._make_client(password)

    def _make_client(self, password: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        client.username_pw_set(self.id, password)
        client.will_set(self._topic("status"), json.dumps({"online": False}), qos=1)
        client.max_inflight_messages_set(WINDOW)
        client.reconnect_delay_set(min_delay=1, max_delay=10)
        client.connect_timeout = CONNECT_SECONDS
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        return client

    def _topic(self, what: str) -> str:
        return f"andaman/v1/{self.id}/up/{what}"

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        self._client.connect_async(*self._address)
        self._client.loop_start()

    def publish(self, samples: Sequence[Sample]) -> None:
        """Send one message; waits while too many others have no acknowledgement.

        Raises:
            GatewayStoppedError: `stop` was called.
        """
        body = encode(samples, epoch=self.epoch, seq=next(self._seq))
        self._wait_for_fewer_than(WINDOW)
        self.published += 1
        # Without a connection paho keeps the message, and sends what has no acknowledgement again.
        self._client.publish(self._topic("readings"), body, qos=1)

    def publish_bulk(self, samples: Iterable[Sample]) -> Iterator[list[Sample]]:
        """Send many samples in few messages; yields what each took.

        Raises:
            GatewayStoppedError: `stop` was called.
        """
        rest = iter(samples)
        while part := list(islice(rest, BULK)):
            self.publish(part)
            yield part

    def drain(self) -> None:
        """Wait until everything is acknowledged.

        Raises:
            GatewayStoppedError: `stop` was called.
        """
        self._wait_for_fewer_than(1)

    def stop(self) -> None:
        """Say goodbye where that is possible, and end the connection and its thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._client.is_connected():
            self._publish_status(online=False)
        self._client.disconnect()
        self._client.loop_stop()

    def _wait_for_fewer_than(self, most: int) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or self.published - self.acknowledged < most
            )
            if self._stopped:
                raise GatewayStoppedError(self.id)

    def _publish_status(self, *, online: bool) -> None:
        body = json.dumps({"online": online, "firmware": FIRMWARE})
        self._status_mids.add(self._client.publish(self._topic("status"), body, qos=1).mid)

    def _on_connect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any
    ) -> None:
        if self._stopped:  # the connection came up while `stop` looked: paho forgets that goodbye
            self._client.disconnect()
        elif not code.is_failure:
            self.connections += 1
            self._publish_status(online=True)

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, _code: Any, _p: Any) -> None:
        if mid in self._status_mids:
            self._status_mids.discard(mid)
            return
        with self._changed:
            self.acknowledged += 1
            self._changed.notify_all()


def encode(samples: Sequence[Sample], *, epoch: str, seq: int) -> bytes:
    """One message of the native dialect.

    >>> encode([Sample("probe", 1_500_000, {"ph": 8.1})], epoch="b7", seq=1)
    b'{"epoch":"b7","seq":1,"device":"probe","time":"1970-01-01T00:00:01.500000Z","values":{"ph":8.1}}'
    """
    readings = [
        {"device": s.device, "time": iso(s.time), "values": dict(s.values)} for s in samples
    ]
    content = readings[0] if len(readings) == 1 else {"readings": readings}
    return json.dumps({"epoch": epoch, "seq": seq} | content, separators=(",", ":")).encode()
