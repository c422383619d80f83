"""A simulated gateway that trusts receipts alone.

It keeps what it sent until Andaman has said that it is settled, and sends it again when that takes
too long. A broker's acknowledgement means nothing to it.
"""

import json
import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

import paho.mqtt.client as mqtt

from simulators.gateways import Gateway, GatewayStoppedError, Sample, encode

MOST_KEPT = 2000  # messages without a receipt; then `publish` waits
AGAIN_SECONDS = 3.0  # after which a message without a receipt is sent again
_LOOK_SECONDS = 0.1


class Kept:
    """What has no receipt yet, by number; times are monotonic seconds. Pure."""

    def __init__(self) -> None:
        self._messages: dict[int, tuple[bytes, float]] = {}
        self.rejected: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, seq: int, body: bytes, at: float) -> None:
        """Sent at `at`."""
        self._messages[seq] = (body, at)

    def settle(self, through: int, rejected: list[dict[str, Any]]) -> None:
        """A receipt came: forget what it covers."""
        self.rejected |= {entry["seq"]: entry["reason"] for entry in rejected}
        for seq in [seq for seq in self._messages if seq <= through]:
            del self._messages[seq]

    def overdue(self, at: float) -> list[bytes]:
        """What has waited too long at `at`; it counts as sent again then.

        >>> kept = Kept()
        >>> kept.add(1, b"a", 0.0)
        >>> kept.overdue(2.9), kept.overdue(3.0), kept.overdue(5.9)
        ([], [b'a'], [])
        """
        late = {s: body for s, (body, sent) in self._messages.items() if at - sent >= AGAIN_SECONDS}
        self._messages |= {seq: (body, at) for seq, body in late.items()}
        return list(late.values())


class KeepingGateway(Gateway):
    """As `Gateway`, but `publish` and `drain` wait for receipts."""

    def __init__(self, gateway: str, *, host: str, port: int, password: str, epoch: str) -> None:
        super().__init__(gateway, host=host, port=port, password=password, epoch=epoch)
        self.kept = Kept()
        self._lock = Lock()
        self._client.on_message = self._on_receipt

    def publish(self, samples: Sequence[Sample]) -> None:
        """Send one message; waits while too many have no receipt.

        Raises:
            GatewayStoppedError: `stop` was called.
        """
        while len(self.kept) >= MOST_KEPT:
            self._wait()
        with self._lock:
            seq = next(self._seq)
            body = encode(samples, epoch=self.epoch, seq=seq)
            self.kept.add(seq, body, time.monotonic())
        self.published += 1
        self._send(body)
        self._send_again()

    def drain(self) -> None:
        """Wait until everything has a receipt.

        Raises:
            GatewayStoppedError: `stop` was called.
        """
        while self.kept:
            self._wait()

    def _wait(self) -> None:
        if self._stopped:
            raise GatewayStoppedError(self.id)
        time.sleep(_LOOK_SECONDS)
        self._send_again()

    def _send_again(self) -> None:
        with self._lock:
            overdue = self.kept.overdue(time.monotonic())
        if self._client.is_connected():
            for body in overdue:
                self._send(body)

    def _send(self, body: bytes) -> None:
        self._client.publish(self._topic("readings"), body, qos=1)

    def _on_connect(self, client: mqtt.Client, *rest: Any) -> None:
        super()._on_connect(client, *rest)
        client.subscribe(f"andaman/v1/{self.id}/down/receipt", qos=1)

    def _on_receipt(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        if receipt["epoch"] == self.epoch:
            with self._lock:
                self.kept.settle(receipt["through"], receipt["rejected"])
