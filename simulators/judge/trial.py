"""One run: a script on a stage, recovery, evidence, and what the judges say."""

import json
import random
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from simulators.judge import city, evidence, referee
from simulators.judge.evidence import Evidence
from simulators.judge.proxy import Way
from simulators.judge.scripts.shape import Script
from simulators.judge.scripts.table import SCRIPTS
from simulators.judge.stage import Stage, staged
from simulators.processes import wait_until

FRESH_SECONDS = 5.0  # within which a new reading must be queryable
LEAVE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long faults last and how long recovery may take (s); `command` is what `andaman` is."""

    faults: float
    recovery: float
    command: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one run showed; `objections` by judge."""

    seed: int
    script: str
    objections: Mapping[str, Sequence[str]]
    kills: Mapping[str, int]
    readings: int
    owed: int
    transitions: int
    messages: int
    recovered: float  # seconds from the end of the faults until everything was settled
    fresh: float
    seconds: float


class Recovery:
    """Times what has to come about after the faults, and keeps what did not."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        self.trouble: list[str] = []
        self._stage = stage
        self._end = time.monotonic() + seconds

    def wait(self, words: str, condition: Callable[[], object]) -> None:
        """Until it comes about, or time is up."""
        try:
            wait_until(condition, max(self._end - time.monotonic(), 1.0))
        except TimeoutError:
            self.trouble.append(f"{words}, long after the faults were over")
        self._stage.note(f"settled: {words}" if not self.trouble else f"not settled: {words}")


def hold(seed: int, name: str, folder: Path, terms: Terms) -> Verdict:
    """Run a script with a seed, in a new folder."""
    chance, script = random.Random(seed), SCRIPTS[name]
    began = time.monotonic()
    folder.mkdir(parents=True)
    setting = replace(script.setting(chance), command=terms.command)
    with staged(folder, setting, chance) as stage:
        script.play(stage, terms.faults)
        stage.note("the faults are over")
        over = time.monotonic()
        found, fresh = _gather(stage, script, terms.recovery)
        recovered = time.monotonic() - over
    objections = referee.judge(found)
    _write(folder, found, objections)
    return Verdict(
        seed=seed,
        script=name,
        objections=objections,
        kills=dict(stage.kills),
        readings=len(found.stored),
        owed=len(found.owed),
        transitions=found.transitions,
        messages=len(found.arrivals),
        recovered=recovered,
        fresh=fresh,
        seconds=time.monotonic() - began,
    )


def failed(seed: int, name: str, folder: Path) -> Verdict:
    """The verdict on a run that could not be brought to its end, within an `except`."""
    words = traceback.format_exc()
    (folder / "error.txt").write_text(words, encoding="utf-8")
    return Verdict(
        seed=seed,
        script=name,
        objections={"J5": [words.strip().splitlines()[-1]]},
        kills={},
        readings=0,
        owed=0,
        transitions=0,
        messages=0,
        recovered=0.0,
        fresh=0.0,
        seconds=0.0,
    )


def _gather(stage: Stage, script: Script, seconds: float) -> tuple[Evidence, float]:
    """Let everything settle, end it, and look at what is left."""
    for name in stage.proxies:
        stage.behave(name, Way.THROUGH)
    stage.line.faults = {}
    stage.post.mailbox.fail()
    recovery, data = Recovery(stage, seconds), stage.andaman.data
    stage.oracle.rest()
    stage.oracle.remind()
    recovery.wait("messages have no receipt", stage.oracle.settled)
    fresh = _fresh(stage, recovery)
    recovery.wait("people are not told", lambda: not _untold(data, len(stage.oracle.full)))
    if stage.influx is not None:
        recovery.wait("points for InfluxDB wait", lambda: not _count(data, "outflow"))
    counts = stage.andaman.ask("/v1/stats").json()
    code, took = stage.andaman.stop()
    if code or took > LEAVE_SECONDS:
        recovery.trouble.append(f"told to end, it took {took:.1f} s and said {code}")
    stage.note(f"ended with {code} after {took:.1f} s")
    issued = stage.oracle.issued()
    return Evidence(
        issued=issued.readings,
        owed=issued.owed,
        rejected=issued.rejected,
        stored=evidence.stored(data),
        counts={name: value for name, value in counts.items() if isinstance(value, int)},
        transitions=_count(data, "transitions"),
        verified=evidence.verified(stage),
        parcels=evidence.parcels(data),
        deliveries=evidence.deliveries(data),
        news=evidence.news(data),
        arrivals=evidence.arrivals(stage),
        full=stage.oracle.full,
        people=city.PEOPLE,
        crashes=stage.kills["andaman"],
        looks=stage.watch.looks,
        logs=evidence.logs(stage),
        secrets=frozenset(stage.watch.secrets),
        influx=evidence.in_influx(stage),
        refusable=script.refusable,
        excused=frozenset(stage.excused),
        trouble=recovery.trouble,
    ), fresh


def _fresh(stage: Stage, recovery: Recovery) -> float:
    """How long a new reading takes until it can be asked for."""
    began = time.monotonic()
    stage.oracle.issue("hill-0", wind_speed=3.0)

    def there() -> bool:
        with suppress(httpx.HTTPError):
            found = stage.andaman.ask("/v1/latest?device=hill-0&parameter=wind_speed").json()
            return bool(found.get("items"))
        return False

    recovery.wait("a new reading cannot be asked for", there)
    took = time.monotonic() - began
    if took > FRESH_SECONDS:
        recovery.trouble.append(f"a new reading could be asked for after {took:.1f} s")
    recovery.wait("the new reading has no receipt", stage.oracle.settled)
    return took


def _untold(data: Path, full: int) -> int:
    """How many messages are to be sent, or to be planned for bins that are full."""
    planned = evidence.rows(
        data,
        "SELECT (SELECT COUNT(*) FROM parcels WHERE state IN ('waiting', 'leased')),"
        " (SELECT COUNT(DISTINCT alert) FROM notice_alerts JOIN alerts ON alert = alerts.id"
        " WHERE site = 'told')",
    )
    ((waiting, told),) = planned
    return int(waiting) + full - int(told)


def _count(data: Path, table: str) -> int:
    return int(evidence.rows(data, f"SELECT COUNT(*) FROM {table}")[0][0])  # noqa: S608


def _write(folder: Path, found: Evidence, objections: Mapping[str, Sequence[str]]) -> None:
    """What somebody needs to see why, beside the ledger, the logs and the story."""
    lines = [f"{name}: {words}" for name, said in objections.items() for words in said]
    (folder / "verdict.txt").write_text("\n".join(lines or ["all held"]) + "\n", encoding="utf-8")
    with (folder / "issued.jsonl").open("w", encoding="utf-8") as file:
        for key, value in found.issued.items():
            file.write(json.dumps([*key, value, key in found.owed]) + "\n")
