"""Retained messages to the broker, over a connection of their own, each acknowledged.

Alerts come seldom and must arrive; readings come by the thousand. So neither waits for the other.
"""

import time
from collections.abc import Mapping
from secrets import token_hex
from threading import Event
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import Blame, DeliveryError
from ingest.broker import BrokerAddress

_CONNECT_SECONDS = 5.0
_WHOLE_SECONDS = 30.0


def publish(
    broker: BrokerAddress, messages: Mapping[str, bytes], *, seconds: float = _WHOLE_SECONDS
) -> None:
    """Send these, by topic, at QoS 1; returns when the broker has acknowledged them all. Blocks.

    Raises:
        DeliveryError: it has not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    client, answered, refusals = _client(broker), Event(), list[str]()

    def on_connect(_c: Client, _d: Any, _f: ConnectFlags, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            refusals.append(str(reason))
        answered.set()

    client.on_connect = on_connect
    try:
        client.connect(broker.host, broker.port)
        client.loop_start()
        if not answered.wait(_CONNECT_SECONDS):
            raise DeliveryError("the broker does not answer", Blame.TEMPORARY)
        if refusals:
            raise DeliveryError(f"the broker refuses us: {refusals[0]}", Blame.CREDENTIALS)
        sent = [client.publish(topic, body, 1, retain=True) for topic, body in messages.items()]
        for info in sent:
            _wait(info, deadline)
    except OSError as error:
        raise DeliveryError(f"the broker cannot be reached: {error}", Blame.TEMPORARY) from error
    finally:
        client.disconnect()
        client.loop_stop()


def _client(broker: BrokerAddress) -> Client:
    name = f"{broker.client_id}-{token_hex(4)}"  # nobody is thrown out who calls himself so
    client = Client(CallbackAPIVersion.VERSION2, name, reconnect_on_failure=False)
    client.connect_timeout = _CONNECT_SECONDS
    client.username_pw_set(broker.username or None, broker.password or None)
    if broker.trust is not None:
        client.tls_set_context(broker.trust.context())
    return client


def _wait(info: MQTTMessageInfo, deadline: float) -> None:
    left = max(0.0, deadline - time.monotonic())
    try:
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            info.wait_for_publish(left)
        if info.is_published():
            return
    except (RuntimeError, ValueError) as error:  # paho's words for a connection that is gone
        raise DeliveryError(f"the broker has left: {error}", Blame.TEMPORARY) from error
    raise DeliveryError("the broker has not acknowledged in time", Blame.TEMPORARY)
