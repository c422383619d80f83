"""Somebody with the secret of a gateway, who says what nobody owes anything for."""

from types import TracebackType

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


class Stranger:
    """Connected while it is entered."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._port = port
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"{user}-stranger")
        self._client.username_pw_set(user, password)
        self._client.max_inflight_messages_set(200)

    def __enter__(self) -> "Stranger":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish it; once, where a broker may refuse the topic and it would come again."""
        qos = 1 if topic.startswith("andaman/v1/gw-") else 0
        self._client.publish(topic, payload, qos=qos, retain=retain)
