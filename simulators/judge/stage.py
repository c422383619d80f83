"""The stage of one run: Andaman as real processes, what it speaks to, and a proxy before each."""

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.judge import city
from simulators.judge.backstage import Backstage
from simulators.judge.city import Size
from simulators.judge.oracle import Oracle, now
from simulators.judge.proxy import Proxy, Way
from simulators.judge.watch import Watch
from simulators.processes import COMMAND, Andaman, EndedError, free_port
from simulators.servers.influxd import InfluxServer, find_influxd
from simulators.servers.mosquitto import Mosquitto
from simulators.stand_ins.influx import Influx
from simulators.stand_ins.line import Line
from simulators.stand_ins.line_platform import Platform
from simulators.stand_ins.smtp import SmtpStandIn

INGEST = "ingest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stands on the stage: the embedded broker or Mosquitto; no InfluxDB, its stand-in or the
    real one; how big the city is. `command` is what `andaman` is.
    """

    mosquitto: bool = False
    influx: str = ""  # "", "stand-in", "real"
    size: Size = field(default_factory=Size)
    disk_mb: int = 0  # of a disk for the data folder alone; 0 for none
    command: Sequence[str] = COMMAND


class Stage:
    """Everything of one run, and what faults do to it; `staged` makes it."""

    def __init__(self, folder: Path, setting: Setting, chance: random.Random) -> None:
        self.folder = folder
        self.setting = setting
        self.chance = chance
        self.kills: Counter[str] = Counter()
        self.secrets = {name: secrets.token_urlsafe(24) for name in ("line", "line-secret", INGEST)}
        self.passwords: Mapping[str, str] = {}  # of gateways
        self.excused: set[tuple[str, str]] = set()  # devices' parameters that InfluxDB never takes
        self.proxies: dict[str, Proxy] = {}
        self.post: SmtpStandIn
        self.line: Platform
        self.influx: Influx | InfluxServer | None = None
        self.mosquitto: Mosquitto | None = None
        self.andaman: Andaman
        self.oracle: Oracle
        self.watch: Watch
        self._backstage: Backstage
        self._began = time.monotonic()
        self._story = folder / "story.log"
        self._under: tuple[str, ...] = ()
        self._environment: dict[str, str] = {}

    def note(self, words: str) -> None:
        """A line of the story of this run, with its second."""
        with self._story.open("a", encoding="utf-8") as story:
            story.write(f"{time.monotonic() - self._began:7.2f} {words}\n")

    # --- what a script does ---

    def behave(self, name: str, way: Way, said: bytes = b"") -> None:
        """Let the connections to a server go wrong in this way from now on."""
        self.note(f"{name}: {way} {said[:40]!r}" if said else f"{name}: {way}")
        self._backstage.do(self.proxies[name].behave(way, said))

    def kill(self) -> None:
        """Kill -9 of Andaman, wherever it is."""
        self.note("kill -9 andaman")
        self.kills["andaman"] += 1
        self.watch.look()
        self.andaman.kill()

    def start(self) -> None:
        """Start it again."""
        self.note("start")
        self.andaman.start(*self._under, **self._environment)

    def wait_ready(self) -> None:
        """Until it lives."""
        self.andaman.wait_ready()
        self.watch.secrets.add(_local_key(self.andaman))
        self.note("ready")

    def revive(self) -> None:
        """Start it again, and wait until it lives."""
        self.start()
        self.wait_ready()

    def under(self, *program: str, **environment: str) -> None:
        """The next lives run under another program and with more in their environment."""
        self._under, self._environment = program, environment

    def kill_broker(self) -> None:
        """Kill -9 of the broker; what belongs to Andaman is started again by it."""
        self.note("kill -9 broker")
        self.kills["broker"] += 1
        if self.mosquitto is not None:
            self.mosquitto.stop(signal.SIGKILL)
        else:
            with suppress(ProcessLookupError, ValueError):
                os.kill(self.andaman.broker_pid(), signal.SIGKILL)

    def broker_pid(self) -> int:
        """Of whichever broker there is."""
        return self.mosquitto.pid if self.mosquitto is not None else self.andaman.broker_pid()

    def start_broker(self) -> None:
        """Mosquitto again, where it is."""
        if self.mosquitto is not None:
            self.mosquitto.start()

    def pause(self, shortest: float, longest: float) -> None:
        """Let things go on for a while."""
        time.sleep(self.chance.uniform(shortest, longest))

    # --- how it is put up ---

    def settings(self, stack: ExitStack) -> dict[str, Any]:
        """What Andaman is told; all that it speaks to runs from here on."""
        given: dict[str, Any] = {
            "config_dir": city.write(self.folder / "config", self.setting.size),
            "line_url": self._put_up_line(stack),
            "line_token": self.secrets["line"],
            "line_secret": self.secrets["line-secret"],
            "smtp_url": self._put_up_post(stack),
            "mail_from": "alerts@judged.example",
        }
        given |= (
            self._put_up_mosquitto(stack) if self.setting.mosquitto else {"mqtt_port": free_port()}
        )
        if self.setting.influx:
            given |= self._put_up_influx(stack)
        return given

    def put_up(self, stack: ExitStack) -> None:
        """Start everything; the devices report from here on."""
        self._backstage = stack.enter_context(Backstage())
        stack.callback(self._take_down)
        given = self.settings(stack)
        if self.setting.disk_mb:
            stack.enter_context(_disk(_made(self.folder / "data"), self.setting.disk_mb))
        self.andaman = Andaman(self.folder, command=self.setting.command, **given)
        stack.callback(self._end)
        self.watch = stack.enter_context(Watch(self.andaman, set(self.secrets.values())))
        self.revive()
        port: int = self.mosquitto.port if self.mosquitto else given["mqtt_port"]
        door = self._before("gateways", lambda: port)
        passwords = self.andaman.gateway_secrets()
        if self.mosquitto is not None:
            passwords = {name: self.secrets[name] for name in passwords}
        self.passwords = passwords
        self.watch.secrets |= set(passwords.values())
        self.oracle = Oracle(door.port, passwords, city.told(self.setting.size), self.chance)
        stack.callback(self.oracle.stop)
        self.oracle.start()

    def _take_down(self) -> None:
        for proxy in self.proxies.values():
            self._backstage.do(proxy.close())

    def _end(self) -> None:
        with suppress(EndedError, subprocess.TimeoutExpired, ProcessLookupError):
            self.andaman.end()
        with suppress(EndedError):
            self.andaman.kill()

    def _before(self, name: str, target: Callable[[], int]) -> Proxy:
        """A proxy in front of a server."""
        proxy = self.proxies[name] = Proxy(free_port(), target)
        self._backstage.do(proxy.behave(Way.THROUGH))
        return proxy

    def _put_up_line(self, stack: ExitStack) -> str:
        token, secret = self.secrets["line"], self.secrets["line-secret"]
        self.line = Platform(token=token, secret=secret, clock=time.time)
        port = int(stack.enter_context(Line(self.line)).url.rpartition(":")[2])
        return f"http://127.0.0.1:{self._before('line', lambda: port).port}"

    def _put_up_post(self, stack: ExitStack) -> str:
        self.post = SmtpStandIn(_made(self.folder / "post"), now)
        port = self._backstage.do(self.post.start())
        stack.callback(lambda: self._backstage.do(self.post.stop()))
        return f"smtp+plaintext://127.0.0.1:{self._before('smtp', lambda: port).port}"

    def _put_up_mosquitto(self, stack: ExitStack) -> dict[str, Any]:
        gateways = sorted(set(city.GATEWAYS.values()))
        self.secrets |= {name: secrets.token_urlsafe(24) for name in gateways}
        passwords = {name: self.secrets[name] for name in (INGEST, *gateways)}
        self.mosquitto = Mosquitto(_made(self.folder / "mosquitto"), passwords)
        stack.callback(self.mosquitto.stop)
        self.mosquitto.start()
        proxy = self._before("broker", lambda: _port(self.mosquitto))
        url = f"mqtt://127.0.0.1:{proxy.port}"
        return {"mqtt_url": url, "mqtt_password": self.secrets[INGEST]}

    def _put_up_influx(self, stack: ExitStack) -> dict[str, Any]:
        if self.setting.influx == "real":
            real = InfluxServer(str(find_influxd()), _made(self.folder / "influx"))
            stack.callback(real.stop)
            real.start()
            self.secrets["influx"] = secrets.token_urlsafe(24)
            real.set_up(token=self.secrets["influx"])
            port, self.influx = int(real.url.rpartition(":")[2]), real
        else:
            self.secrets["influx"] = secrets.token_urlsafe(24)
            self.influx = stack.enter_context(Influx())
            port = self.influx.port
        url = f"http://127.0.0.1:{self._before('influx', lambda: port).port}"
        return {"influx_url": url, "influx_token": self.secrets["influx"]}


@contextmanager
def staged(folder: Path, setting: Setting, chance: random.Random) -> Iterator[Stage]:
    """A stage that leaves no process behind."""
    stage = Stage(folder, setting, chance)
    with ExitStack() as stack:
        stage.put_up(stack)
        yield stage


@contextmanager
def _disk(folder: Path, size_mb: int) -> Iterator[None]:
    """The folder is a disk of its own; what is on it in the end stays there."""
    options = ["-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs"]
    subprocess.run(["mount", *options, str(folder)], check=True)  # noqa: S607
    kept = folder.with_suffix(".kept")
    try:
        yield
        shutil.copytree(folder, kept)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
        if kept.exists():
            folder.rmdir()
            kept.rename(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _port(broker: Mosquitto | None) -> int:
    if broker is None:
        raise EndedError("there is no Mosquitto")
    return broker.port


def _local_key(andaman: Andaman) -> str:
    local = json.loads((andaman.data / "local.json").read_text(encoding="utf-8"))
    return str(local["key"])
