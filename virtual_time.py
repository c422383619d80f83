"""A scenario in virtual time: the system itself, with a clock that goes as fast as it keeps up.

The production wiring on a ledger of its own; what the gateways write is handed to the pipeline as
the listener would, in order of time, and receipts go back to them. So a year is judged as it would
have been: what was late then is late, and rules wait as long as they would have waited.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

import app
from core.errors import StartError
from core.messages import Message
from core.settings import Settings
from core.times import MINUTE, SECOND, from_micros
from simulators.gateways import Gateway
from simulators.play import play
from simulators.scenario import Scenario
from simulators.sendings import Sending

# What arrives within a step is settled together, then rules hear that time has passed. How a stream
# is cut changes no alert; what is told of one again (an escalation) comes so much later at most.
STEP = 5 * MINUTE
_DEVICES, _LEDGER = "devices.yaml", "ledger.db"


def run(
    scenario: Scenario,
    gateways: Iterable[Gateway],
    settings: Settings,
    show: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Let a scenario happen to a system with these settings, whose data folder has no ledger yet,
    until it ends or is `stopped`; `show` is told how far it is (µs). Its city has those devices
    alone that take part; nobody is told of alerts, and nothing goes to InfluxDB.

    Raises:
        ConfigError, StartError: nothing has begun.
    """
    with TemporaryDirectory(prefix="andaman-") as folder:
        _copy_configuration(settings.config_dir, Path(folder), scenario)
        alone = settings.model_copy(update={"config_dir": Path(folder), "influx_url": ""})
        world = VirtualTime(alone, gateways, scenario.start)
    try:
        for at in world.play(play(scenario, scenario.start, scenario.end), scenario.end):
            show(at)
            if stopped():
                return
    finally:
        world.close()


def _copy_configuration(source: Path, folder: Path, scenario: Scenario) -> None:
    """The city in which the devices that take part stand when the scenario begins, and others when
    it is over: nobody misses a device before it is there.
    """
    for entry in source.resolve().iterdir():
        if entry.name != _DEVICES:
            (folder / entry.name).symlink_to(entry)
    content = yaml.safe_load((source / _DEVICES).read_text(encoding="utf-8"))
    begins = {d.id: min(d.placements[0].since, scenario.start) for d in scenario.devices}
    for device in content["devices"]:
        if device["id"] in begins:
            device["since"] = from_micros(begins[device["id"]])
        else:
            device |= {"since": from_micros(scenario.end), "moves": []}
    (folder / _DEVICES).write_text(yaml.safe_dump(content), encoding="utf-8")


class VirtualTime:
    """A system with a clock of its own, which first shows `start` (µs)."""

    def __init__(self, settings: Settings, gateways: Iterable[Gateway], start: int) -> None:
        """Raises ConfigError, StartError: the system cannot be built."""
        if (settings.data_dir / _LEDGER).exists():
            words = "choose a folder of its own: a scenario begins with an empty ledger"
            raise StartError(f"{settings.data_dir} holds a ledger already; {words}")
        self._now = start
        self._gateways: Mapping[str, Gateway] = {gateway.id: gateway for gateway in gateways}
        self._arrived: list[Message] = []
        self._system = app.build(settings, lambda: self._now, channels={})
        self._system.pipeline.connected(start)
        for gateway in self._gateways.values():
            self._arrive(gateway.topic("up", "status"), gateway.status(online=True), start)

    def play(self, stream: Iterable[Sending], until: int) -> Iterator[int]:
        """Let time pass with what is sent, to `until` (µs); yields how far it is."""
        for sending in stream:
            while sending.at >= self._now + STEP:
                yield self._pass_to(self._now + STEP)
            self._send(sending)
        while self._now < until:
            yield self._pass_to(min(self._now + STEP, until))

    def close(self) -> None:
        """Give the folder back."""
        self._system.close()

    def _send(self, sending: Sending) -> None:
        gateway = self._gateways[sending.gateway]
        gateway.take([sending.sample])
        while (message := gateway.next(self._now / SECOND)) is not None:
            self._arrive(message.topic, message.body, sending.at)
            gateway.acknowledged(message)

    def _arrive(self, topic: str, body: bytes, at: int) -> None:
        """No two messages arrive in one microsecond."""
        last = self._arrived[-1].received_at if self._arrived else self._now
        self._arrived.append(Message(topic.encode(), body, max(at, last + 1), qos=1))

    def _pass_to(self, until: int) -> int:
        pipeline = self._system.pipeline
        if self._arrived:
            self._now = self._arrived[-1].received_at
            pipeline.settle(self._arrived)
            self._arrived = []
        self._now = max(until, self._now)
        pipeline.tick(self._now)
        for topic, payload in pipeline.receipts.due(self._now):
            self._gateways[topic.split("/")[2]].receipt(payload, self._now / SECOND)
        return self._now
