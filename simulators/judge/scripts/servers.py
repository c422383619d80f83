"""Servers that die, freeze, lose their disk, answer wrongly, or cannot be reached."""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import httpx

from simulators.judge.oracle import now
from simulators.judge.proxy import Way, http
from simulators.judge.scripts.shape import until
from simulators.judge.stage import Setting, Stage
from simulators.servers.influxd import InfluxServer
from simulators.stand_ins.influx import Influx
from simulators.stand_ins.line_platform import Fault as LineFault
from simulators.stand_ins.smtp import Fault as MailFault

ODD = "pm10"  # of another type in InfluxDB, and reported once
_TROUBLES = (
    http(429, "Too Many Requests", retry_after="1"),
    http(429, "Too Many Requests", retry_after="-5"),
    http(500, "Internal Server Error", '{"code":"internal error","message":"sorry"}'),
    http(502, "Bad Gateway"),
    http(503, "Service Unavailable", retry_after="Thu, 01 Jan 1970 00:00:00 GMT"),
    http(401, "Unauthorized", '{"code":"unauthorized","message":"unauthorized access"}'),
    http(404, "Not Found", '{"code":"not found","message":"bucket not found"}'),
)
_BROKEN = (Way.REFUSE, Way.RESET, Way.SWALLOW, Way.SLOW, Way.DRIP, Way.CUT)


def with_influx(chance: random.Random, *, real: bool = False) -> Setting:
    """A stage with InfluxDB, or what stands in for it."""
    del chance
    return Setting(influx="real" if real else "stand-in")


def influx_away(stage: Stage, seconds: float) -> None:
    """InfluxDB cannot be reached: refused, reset, swallowed, slow, cut."""
    for _ in until(seconds):
        stage.behave("influx", stage.chance.choice(_BROKEN))
        stage.pause(1, 4)
        stage.behave("influx", Way.THROUGH)
        stage.pause(0, 1)


def influx_in_trouble(stage: Stage, seconds: float) -> None:
    """InfluxDB answers 429, 500, 502, 503, 401 and 404."""
    for _ in until(seconds):
        stage.behave("influx", Way.ANSWER, stage.chance.choice(_TROUBLES))
        stage.pause(1, 3)
        stage.behave("influx", Way.THROUGH)
        stage.pause(0, 1)


def influx_one_bad_point(stage: Stage, seconds: float) -> None:
    """One point among all that InfluxDB never takes; and InfluxDB dies meanwhile, where it is."""
    _spoil(stage)
    stage.pause(0, 1)
    at = now()
    stage.oracle.issue("hill-1", **{ODD: 12.5})
    stage.excused.add(("hill-1", ODD))
    for _ in until(seconds - (now() - at) / 1e6):
        stage.pause(1, 3)
        if isinstance(stage.influx, InfluxServer):
            stage.note("kill -9 influxd")
            stage.kills["influxd"] += 1
            os.kill(stage.influx.pid, signal.SIGKILL)
            stage.influx.restart()


def _spoil(stage: Stage) -> None:
    """Make a field of InfluxDB one of text."""
    if isinstance(stage.influx, Influx):
        stage.influx.conflicts.add(ODD)
    elif stage.influx is not None:
        url = f"{stage.influx.url}/api/v2/write"
        place = {"org": stage.influx.org, "bucket": stage.influx.bucket}
        line = f'air {ODD}="text" {now() * 1000}'
        headers = {"Authorization": f"Token {stage.influx.token}"}
        httpx.post(url, params=place, headers=headers, content=line).raise_for_status()


def broker_frozen(stage: Stage, seconds: float) -> None:
    """The broker stops in its tracks, and goes on."""
    for _ in until(seconds):
        stage.pause(0.5, 2)
        with _frozen(stage, "broker", stage.broker_pid()):
            stage.pause(2, 6)


@contextmanager
def _frozen(stage: Stage, what: str, pid: int) -> Iterator[None]:
    stage.note(f"freeze {what}")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        stage.note(f"{what} goes on")


def broker_emptied(stage: Stage, seconds: float) -> None:
    """The broker dies and comes back with an empty disk: whatever it acknowledged is gone."""
    for _ in until(seconds):
        stage.pause(1, 3)
        if stage.mosquitto is not None:
            stage.kill_broker()
            (stage.folder / "mosquitto" / "mosquitto.db").unlink(missing_ok=True)
            stage.start_broker()
        else:
            stage.kill()
            store = stage.andaman.data / "broker" / "store"
            if not store.is_dir():
                raise FileNotFoundError(store)
            shutil.rmtree(store)
            stage.revive()
        stage.note("the broker's disk is empty")


def network(stage: Stage, seconds: float) -> None:
    """Connections of gateways, and of Andaman to its broker, break in every way."""
    doors = [name for name in ("gateways", "broker") if name in stage.proxies]
    for _ in until(seconds):
        door = stage.chance.choice(doors)
        stage.behave(door, stage.chance.choice(_BROKEN))
        stage.pause(0.5, 3)
        stage.behave(door, Way.THROUGH)
        stage.pause(0.5, 2)


def people_unreachable(stage: Stage, seconds: float) -> None:
    """LINE and the mail server refuse, forget to answer, or cannot be reached."""
    line = (LineFault.ERROR, LineFault.ACCEPT_ERROR, LineFault.RATE, LineFault.GARBAGE)
    mail = (MailFault.BUSY, MailFault.DROP, MailFault.GREYLIST)
    for _ in until(seconds):
        stage.line.faults = {stage.chance.choice(line): 0.5}
        stage.post.mailbox.fail(stage.chance.choice(mail))
        for name in ("line", "smtp"):
            stage.behave(name, stage.chance.choice((Way.THROUGH, *_BROKEN[:2], Way.SLOW, Way.CUT)))
        stage.pause(1, 3)


real_influx = partial(with_influx, real=True)
