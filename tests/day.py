"""A scripted day on virtual time in a process of its own, which is killed and goes on where it was.

python -m tests.day            kills it at a hundred random points, and compares
python -m tests.day FOLDER     the day itself, from where the ledger in FOLDER ends
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from alerts.operations import OPERATIONS
from core.alerts import Action, ActionKind
from core.settings import Settings
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.processes import ROOT, environment
from tests.every_kind import RULES
from tests.world import MIDNIGHT, World, write_configuration

TICK = 30 * SECOND  # a timer speaks so late at most; what it says is the same
AGAIN = 3  # so many messages the broker brings once more after a death
VALUES = {
    "air-1": ("gw", "pm25", (20, 29, 35, 38, 45, 60, 90)),
    "bin-1": ("gw", "fill_level", (40, 60, 70, 81, 90, 96, 50)),
    "bin-2": ("other", "fill_level", (50, 82, 85, 97, 55)),
    "patong-1": ("gw", "dissolved_oxygen", (1.5, 3, 4.2, 5, 6, 9.5, 8)),
}
QUERY = (  # what verdicts bring goes by the tick
    "SELECT rule, subject, before, after, reason, severity, ROUND(at / 1000000.0), value, marks "
    "FROM transitions WHERE reason NOT IN ('confirmed', 'judged') ORDER BY id"
)


class Step(NamedTuple):
    """Something that happens at a moment (µs)."""

    at: int
    happen: Callable[[World], object]
    message: bool = False


def script() -> list[Step]:
    """The day: devices report, fall silent, come late; a gateway goes and comes; officers act; a
    rule is edited at noon.
    """
    chance, steps = random.Random(6), list[Step]()
    for device, (gateway, parameter, values) in VALUES.items():
        silent = [chance.randrange(20) * HOUR for _ in range(2)]
        at, number = MIDNIGHT + 7 * SECOND + len(steps), 0
        while at < MIDNIGHT + DAY:
            if not any(begin <= at - MIDNIGHT < begin + 100 * MINUTE for begin in silent):
                number += chance.choice([0, 0, 1, 1, 2])
                lag = chance.choice([0, 0, 0, 0, 20 * SECOND, 4 * MINUTE, 20 * MINUTE])
                measured = (at - lag) // SECOND * SECOND
                value = {parameter: float(values[number % len(values)])}
                steps.append(Step(at, _published(device, gateway, measured, value), message=True))
            # No round times: each start costs a µs of hearing, which must decide nothing.
            at += chance.choice([MINUTE, 3 * MINUTE, 7 * MINUTE, 11 * MINUTE])
            at += chance.randrange(MINUTE)
    kinds = list(ActionKind)
    for number in range(30):
        at = MIDNIGHT + (number + 1) * 45 * MINUTE + 13 * SECOND
        steps.append(Step(at, _acted(kinds[number % len(kinds)], at)))
    for hour in (2, 3, 14, 15):
        topic, body = "andaman/v1/gw/up/status", b'{"online": %s}' % (b"true", b"false")[hour % 2]
        steps.append(Step(MIDNIGHT + hour * HOUR + SECOND, _sent(body, topic), message=True))
    steps.append(Step(MIDNIGHT + 12 * HOUR + 3 * SECOND, _edited))
    return sorted(steps, key=lambda step: step.at)


def _published(device: str, gateway: str, at: int, values: dict[str, float]) -> Any:
    return lambda world: world.publish(device, gateway=gateway, measured=at, **values)


def _sent(body: bytes, topic: str) -> Any:
    return lambda world: world.send(body, topic=topic)


def _acted(kind: ActionKind, at: int) -> Any:
    """An officer turns to the newest alert, once."""

    def act(world: World) -> None:
        state = "IN ('resolved')" if kind is ActionKind.REOPEN else "<> 'resolved'"
        newest = "ORDER BY ROUND(started_at / 1000000.0) DESC, rule, subject"
        query = f"SELECT id, rule FROM alerts WHERE state {state} {newest}"  # noqa: S608
        done = world.rows(f"SELECT 1 FROM actions WHERE note = '{at}'")  # noqa: S608
        found = [alert for alert, rule in world.rows(query) if rule not in OPERATIONS]
        for alert in [] if done else found[:1]:
            until = at + 50 * MINUTE if kind is ActionKind.SHELVE else None
            action = Action(kind=kind, alert=alert, by="nok", note=str(at), until=until)
            world.system.by_people.act(action)

    return act


def _edited(world: World) -> None:
    file = world.system.settings.config_dir / "rules" / "rules.yaml"
    file.write_text(RULES.replace("clear: 60", "clear: 58"), encoding="utf-8")
    world.system.rules.reload("files")


def live(folder: Path) -> list[Any]:
    """Go through the day, from where the ledger ends; what rules said in all of it. Alerts about
    the system itself go by what is known at each tick.
    """
    config = folder / "config"
    if not config.exists():
        write_configuration(config, rules=RULES)
    world = World(Settings(config_dir=config, data_dir=folder / "data"))
    with closing(world.system):
        heard = max(at for (at,) in world.rows(LAST) if at)
        world.now = heard + 1
        steps = script()
        ahead = next((n for n, step in enumerate(steps) if step.at >= heard), len(steps))
        again = [step for step in steps[:ahead] if step.message][-AGAIN:]
        for step in again:
            step.happen(world)
        for number, step in enumerate(steps[ahead:], ahead):
            print(number, flush=True)
            _pass(world, step.at)
            step.happen(world)
        _pass(world, MIDNIGHT + DAY + 4 * HOUR)
        return [row for row in world.rows(QUERY) if row.rule not in OPERATIONS]


LAST = " UNION ALL ".join(
    f"SELECT MAX({column}) FROM {table}"  # noqa: S608
    for table, column in (
        ("readings", "received_at"),
        ("statuses", "at"),
        ("resumptions", "at"),
        ("actions", "at"),
        ("ticks", "at"),
    )
)


def _pass(world: World, until: int) -> None:
    while world.now < until:
        world.now = min((world.now // TICK + 1) * TICK, until)
        world.system.pipeline.tick(world.now)


def killed(folder: Path, deaths: Sequence[int], chance: random.Random) -> list[Any]:
    """The same, killed a little after each of these steps began."""
    for number in deaths:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.day", str(folder)],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        reached = any(int(line) >= number for line in process.stdout)
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        process.communicate()
        assert reached, "it ended by itself"
    return live(folder)


def points(number: int, chance: random.Random) -> list[int]:
    """Steps of the day, in order."""
    return sorted(chance.randrange(1, len(script()) - 5) for _ in range(number))


def main() -> None:
    """The day, or what becomes of it when it is killed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", nargs="?", type=Path)
    asked.add_argument("--deaths", type=int, default=100)
    asked.add_argument("--seed", type=int, default=6)
    options = asked.parse_args()
    if options.folder is not None:
        live(options.folder)
        return
    chance, began = random.Random(options.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as kept:
        undisturbed = live(Path(kept) / "undisturbed")
        disturbed = killed(Path(kept) / "killed", points(options.deaths, chance), chance)
    for one, other in zip(undisturbed, disturbed, strict=False):
        if one != other:
            sys.exit(f"undisturbed {one}\nkilled      {other}")
    assert len(undisturbed) == len(disturbed), (len(undisturbed), len(disturbed))
    took = time.monotonic() - began
    print(f"{len(undisturbed)} transitions, the same after {options.deaths} deaths; {took:.0f} s")


if __name__ == "__main__":
    main()
