"""Gateways that send twice, in any order, too much, or what means harm; and storms of alerts."""

import json
import random

from core.times import MINUTE, SECOND, iso
from simulators.gateways import Sample
from simulators.judge.city import FULL, Size, crowd
from simulators.judge.hostile import DEVICE, corpus
from simulators.judge.oracle import now
from simulators.judge.scripts.shape import until
from simulators.judge.stage import Setting, Stage
from simulators.judge.stranger import Stranger
from simulators.processes import wait_until

PEER = "gw-hill"  # whose secret a stranger has
TOPIC = f"andaman/v1/{PEER}/up/readings"
LARGEST = 60_000  # bytes: brokers end the connection of whoever sends more
CROWD = 600  # a gateway may begin 1,000 series a day


def unruly(stage: Stage, seconds: float) -> None:
    """Messages come twice and in any order, beside rivals, retained ones and devices of others."""
    wait_until(stage.oracle.promised)
    for gateway in stage.oracle.gateways.values():
        gateway.unruly = True
    with _stranger(stage) as peer:
        for _ in until(seconds):
            stage.pause(0.2, 0.6)
            owed = [
                (k, v) for k, v in stage.oracle.issued().owed.items() if k[0].startswith("hill")
            ]
            (device, parameter, at), value = stage.chance.choice(owed)
            peer.say(TOPIC, _report(device, at, parameter, value + 1))
            peer.say(TOPIC, _report("bay-1", now(), "ph", 8.0))
            peer.say(TOPIC, _report(device, at, parameter, value), retain=True)
    for gateway in stage.oracle.gateways.values():
        gateway.unruly = False


def hostile(stage: Stage, seconds: float) -> None:
    """Every message of the corpus that means harm or is broken, in any order."""
    messages = [m for m in corpus() if len(m.payload) <= LARGEST and len(m.topic) < 200]
    stage.chance.shuffle(messages)
    pause = seconds / len(messages)
    with _stranger(stage) as peer:
        for message in messages:
            topic = message.topic.decode("utf-8", "replace").replace("/gw/", f"/{PEER}/")
            if not set("+#\x00") & set(topic) and topic:
                peer.say(topic, message.payload.replace(DEVICE, b"hill-1"))
            stage.pause(pause, pause)


def flood(stage: Stage, seconds: float) -> None:
    """One gateway sends as fast as it can, of devices that nobody knows, each with a new name."""
    with _stranger(stage) as peer:
        for _ in until(seconds):
            for _ in range(200):
                name = f"nobody-{stage.chance.getrandbits(40)}"
                peer.say(TOPIC, _report(name, now(), "pm25", 12.0))
            stage.pause(0.1, 0.3)


def crowded(chance: random.Random) -> Setting:
    """A city with very many bins."""
    del chance
    return Setting(size=Size(crowd=CROWD))


def storm(stage: Stage, seconds: float) -> None:
    """Hundreds of bins are full in one second, and emptied."""
    for _ in until(seconds):
        for level in (FULL, 5.0):
            at = now()
            samples = [Sample(d, at, {"fill_level": level}) for d in crowd(stage.setting.size)]
            for first in range(0, len(samples), 50):
                stage.oracle.say(samples[first : first + 50])
            stage.pause(2, 4)


def late(stage: Stage, seconds: float) -> None:
    """What devices measured long ago comes now, between what they measure now."""
    for _ in until(seconds):
        stage.pause(0.1, 0.5)
        since = now() - stage.chance.randint(20, 300) * MINUTE
        times = [since + n * SECOND + stage.chance.randrange(SECOND) for n in range(40)]
        stage.oracle.say([Sample("bay-2", at, {"ph": 8.0}) for at in times])


def _stranger(stage: Stage) -> Stranger:
    """Whoever has the secret of a gateway."""
    return Stranger(stage.proxies["gateways"].port, PEER, stage.passwords[PEER])


def _report(device: str, at: int, parameter: str, value: float) -> bytes:
    body = {"device": device, "time": iso(at), "values": {parameter: value}}
    return json.dumps(body).encode()
