"""The ten judges. Each looks at the evidence and says what breaks the promise; pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from types import MappingProxyType

from simulators.judge.evidence import Arrival, Evidence
from simulators.judge.watch import Look

SHOWN = 3  # examples of one breach
MOST_MEMORY = 400.0  # MB
MOST_HANDLES, MOST_THREADS = 200, 80
LONG_LIFE = 100.0  # seconds: shorter ones say nothing about growth
GROWTH = 0.15


def lost(evidence: Evidence) -> Iterator[str]:
    """J1: what has a receipt is stored, also in InfluxDB where there is one; no good is refused."""
    there = {key for key, _ in evidence.stored}
    yield from _some("has a receipt and is not stored", evidence.owed.keys() - there)
    wrong = [(who, why) for who, why in evidence.rejected.items() if why not in evidence.refusable]
    yield from _some("was right and is rejected", wrong)
    if evidence.influx is not None:
        missing = [k for k in there - evidence.influx.keys() if k[:2] not in evidence.excused]
        yield from _some("is stored and not in InfluxDB", missing)


def doubled(evidence: Evidence) -> Iterator[str]:
    """J2: no two rows of one device, parameter and moment."""
    times = Counter(key for key, _ in evidence.stored)
    yield from _some("is stored twice", [key for key, n in times.items() if n > 1])


def invented(evidence: Evidence) -> Iterator[str]:
    """J3: nothing is stored that nobody sent."""
    there = {key for key, _ in evidence.stored}
    yield from _some("is stored and was never sent", there - evidence.issued.keys())


def altered(evidence: Evidence) -> Iterator[str]:
    """J4: what is stored is what was sent, to the bit."""
    wrong = [k for k, value in evidence.stored if value != evidence.issued.get(k, value)]
    yield from _some("has another value than was sent", wrong)
    if evidence.influx is not None:
        there = dict(evidence.stored)
        wrong = [k for k, value in evidence.influx.items() if value != there.get(k, value)]
        yield from _some("has another value in InfluxDB", wrong)


def stuck(evidence: Evidence) -> Iterator[str]:
    """J5: once the faults are over everything is settled in time, and what is new within 5 s."""
    yield from evidence.trouble


def miscounted(evidence: Evidence) -> Iterator[str]:
    """J6: received = stored + duplicate + quarantined, and stored is what is there."""
    counts = evidence.counts
    ends = [counts.get(name, 0) for name in ("stored", "duplicate", "quarantined")]
    if counts.get("received", 0) != sum(ends):
        yield f"received {counts.get('received', 0)}, but stored, duplicate, quarantined {ends}"
    if ends[0] != len(evidence.stored):
        yield f"{ends[0]} counted as stored, {len(evidence.stored)} are there"
    yield from (line for line in evidence.verified if not line.startswith("alert "))


def misjudged(evidence: Evidence) -> Iterator[str]:
    """J7: the transitions are those of a fresh engine over the stored readings."""
    yield from islice((line for line in evidence.verified if line.startswith("alert ")), SHOWN)


def untold(evidence: Evidence) -> Iterator[str]:
    """J8: everybody hears of everything, of its beginning first; by LINE once, by mail at most once
    more for each crash.
    """
    came = Counter((a.channel, a.address, a.parcel) for a in evidence.arrivals if a.answered)
    planned = {(d.channel, d.address, d.parcel): d.state for d in evidence.deliveries}
    yield from _some("was given up", [d for d, s in planned.items() if s == "dead"])
    there = {(a.channel, a.address, a.parcel) for a in evidence.arrivals}
    yield from _some("is said to be sent and did not arrive", _sent(planned) - there)
    strange = [arrival for arrival in there if arrival[2] not in evidence.parcels]
    yield from _some("arrived and was never planned", strange)
    most = {"line": 1, "email": 1 + evidence.crashes}
    often = [(who, n) for who, n in came.items() if n > most.get(who[0], n)]
    yield from _some("arrived too often", often)
    yield from _some("was not told to", _unheard(evidence))
    yield from _some("was told to be over before it was told to fire", _upside_down(evidence))


def grown(evidence: Evidence) -> Iterator[str]:
    """J9: memory, handles and threads stay within bounds, and do not grow in a long life."""
    looks = evidence.looks
    for what, most in (
        ("memory", MOST_MEMORY),
        ("handles", MOST_HANDLES),
        ("threads", MOST_THREADS),
    ):
        worst = max((getattr(look, what) for look in looks), default=0)
        if worst > most:
            yield f"{what}: {worst:.0f}, the bound is {most:.0f}"
    for _, life in groupby(looks, key=lambda look: look.pid):
        yield from _growth(list(life))


def betrayed(evidence: Evidence) -> Iterator[str]:
    """J10: no secret is in a log or on a command line."""
    for name, log in evidence.logs.items():
        if any(secret.encode() in log for secret in evidence.secrets):
            yield f"{name} shows a secret"


JUDGES: Mapping[str, Callable[[Evidence], Iterable[str]]] = MappingProxyType(
    {
        "J1": lost,
        "J2": doubled,
        "J3": invented,
        "J4": altered,
        "J5": stuck,
        "J6": miscounted,
        "J7": misjudged,
        "J8": untold,
        "J9": grown,
        "J10": betrayed,
    }
)


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """What each judge objects to; empty where the promise held."""
    found = {name: list(judges(evidence)) for name, judges in JUDGES.items()}
    return {name: objections for name, objections in found.items() if objections}


def _some(words: str, which: Iterable[object]) -> Iterator[str]:
    """One line with a few examples, where there are any."""
    found = sorted(map(str, which))
    if found:
        yield f"{len(found)} × {words}: {'; '.join(found[:SHOWN])}"


def _sent(planned: Mapping[tuple[str, str, str], str]) -> set[tuple[str, str, str]]:
    return {delivery for delivery, state in planned.items() if state == "sent"}


def _unheard(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The bins that said that they are full, and whoever got no message about them."""
    owed = {device for device, _, _ in evidence.owed}
    heard: dict[str, set[str]] = {}
    for arrival in evidence.arrivals:
        named = re.findall(r"\btold-\d+\b", arrival.text)
        heard.setdefault(arrival.address, set()).update(named)
    came = _first(evidence.arrivals)
    for one in evidence.news:  # a message about many names only the worst
        if (one.address, one.parcel) in came:
            heard.setdefault(one.address, set()).add(one.rule.removesuffix("-full"))
    for addresses in evidence.people.values():
        for address in addresses:
            for device in evidence.full:
                if device in owed and device not in heard.get(address, ()):
                    yield device, address


def _upside_down(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Who was told of an alert's end before its beginning."""
    first = _first(evidence.arrivals)
    told: dict[tuple[str, str], dict[str, float]] = {}
    for one in evidence.news:
        at = first.get((one.address, one.parcel))
        if at is not None:
            times = told.setdefault((one.address, one.alert), {})
            times[one.state] = min(at, times.get(one.state, at))
    for who, times in told.items():
        if "resolved" in times and times.get("firing", float("inf")) > times["resolved"]:
            yield who


def _first(arrivals: Iterable[Arrival]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for one in arrivals:
        key = one.address, one.parcel
        found[key] = min(one.at, found.get(key, one.at))
    return found


def _growth(life: list[Look]) -> Iterator[str]:
    """What the last third of a long life held above the second."""
    if life[-1].at - life[0].at < LONG_LIFE:
        return
    third = len(life) // 3
    for what, slack in (("memory", 5.0), ("handles", 5), ("threads", 3)):
        middle = _median(getattr(look, what) for look in life[third : 2 * third])
        last = _median(getattr(look, what) for look in life[2 * third :])
        if last > middle * (1 + GROWTH) + slack:
            yield f"{what} grew from {middle:.0f} to {last:.0f} in {life[-1].at - life[0].at:.0f} s"


def _median(values: Iterable[float]) -> float:
    found = sorted(values)
    return found[len(found) // 2]
