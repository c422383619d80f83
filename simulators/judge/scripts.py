"""The fault scripts: each breaks something for a while, by its seed, and mends it again."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulators.judge.stage import Setting, Stage
from simulators.processes import wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is done to Andaman. `rows` are those of the catalogue of faults in docs/reliability.md;
    `setting` says what is on the stage; `play` breaks things for so many seconds. Receipts may
    reject for the reasons in `refusable`.
    """

    rows: str
    words: str
    play: Callable[[Stage, float], None]
    setting: Callable[[random.Random], Setting] = lambda _: Setting()
    refusable: frozenset[str] = frozenset()


def _calm(stage: Stage, seconds: float) -> None:
    """Nothing goes wrong."""
    del stage
    time.sleep(seconds)


def _kill_any(stage: Stage, seconds: float) -> None:
    """Kill -9 of Andaman or its broker, at any moment: also while it starts."""
    wait_until(stage.oracle.promised)
    for _ in _until(seconds):
        stage.pause(0, 2)
        if stage.kills and stage.chance.random() < 0.25:
            stage.kill_broker()
            stage.pause(0, 1)
            stage.start_broker()
            continue
        stage.kill()
        if stage.chance.random() < 0.3:
            stage.start()
            stage.pause(0.1, 1.5)
            stage.kill()
        stage.revive()


def _until(seconds: float) -> Iterator[None]:
    """Again and again, for so long; once at least."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        yield


def _either_broker(chance: random.Random) -> Setting:
    return Setting(mosquitto=chance.random() < 0.5)


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "calm": Script(rows="–", words="nothing at all", play=_calm),
        "kill-any": Script(
            rows="I1 B1 G1",
            words="kill -9 of Andaman and of its broker at random",
            play=_kill_any,
            setting=_either_broker,
        ),
    }
)
