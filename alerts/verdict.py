"""Is it the place or the sensor? Every rule of inference, from symptoms to a verdict. Pure.

Each rule looks at the symptoms (`alerts/symptoms.py`) and offers *clues*: toward the event, or
toward one of the causes for which a sensor errs, each with a weight in natural log-odds: 1 makes a
hypothesis 2.7 times as likely, 3 twenty times. The weights of a hypothesis are added to where it
starts, and what all come to is shared out among them. So no clue decides alone, each can be read,
and what is not known says nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from alerts.company import Leap
from alerts.kinship import ALONGSIDE, FACTORS, FOULS, RAINY, REGIONAL, TOGETHER, WORSE
from alerts.shapes import Move
from alerts.symptoms import Symptoms
from core.catalogue import CATALOGUE
from core.times import HOUR, MINUTE
from core.verdicts import FaultCause, VerdictKind

EVENT = VerdictKind.EVENT
CLOCK, DRIFT, FOULING = FaultCause.CLOCK, FaultCause.DRIFT, FaultCause.FOULING
OUT_OF_WATER, POWER, SPIKE = FaultCause.OUT_OF_WATER, FaultCause.POWER, FaultCause.SPIKE
STUCK, UNITS = FaultCause.STUCK, FaultCause.UNITS
Hypothesis: TypeAlias = VerdictKind | FaultCause

SURE_ENOUGH = 0.7  # below that it is unclear
FAR, QUIET = 3.0, 2.0  # of noise: what moves, and what does not
SAME = 0.4  # of the way that a neighbour goes as well


class Clue(NamedTuple):
    """What speaks for a hypothesis, or against it where the weight is below 0, and how to say it
    (`alerts/verdict_words.py`).
    """

    toward: Hypothesis
    weight: float
    phrase: str
    values: Mapping[str, Any] = MappingProxyType({})


Clues: TypeAlias = Iterator[Clue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A verdict with its clues in place of words."""

    kind: VerdictKind
    cause: FaultCause | None = None
    confidence: float = 0.0
    clues: Sequence[Clue] = ()
    confirmed: bool = False


# --- what is known of quantities ---

_PLAIN = 5.0  # times: no event does that at once
_ROUGHLY = 0.4  # of a logarithm: so far a factor that is plain may be off
_LEAPING = (DRIFT, SPIKE, UNITS)
_WATER = frozenset(key for key, known in CATALOGUE.items() if known.group == "water")
_DUST = ("pm25", "pm10")  # the fine and the coarse
_COARSEST = 20.0  # of one part that is fine so many are coarse, at most
_OWN_BIN = frozenset(("bin_temperature", "fill_level", "tilt", "tipped", "weight"))


# --- the rules ---


def stuck(s: Symptoms) -> Clues:
    """A value that stays, though it never does."""
    share = s.objections.get("flat_line", 0.0)
    if share:
        yield Clue(STUCK, 3.5 + 2 * share, "test-flat-line", {"share": share})
    if s.still >= HOUR and s.stirs:
        long = s.still >= 3 * HOUR
        yield Clue(STUCK, 3.5 if long else 2.0, "still", {"lasts": s.still})
        yield Clue(EVENT, -3.5 if long else -1.5, "still", {"lasts": s.still})
    if "attenuated_signal" in s.objections or s.rough < 0.2:
        yield Clue(STUCK, 1.0, "smooth")
        yield Clue(FOULING, 1.5, "smooth")


def spike(s: Symptoms) -> Clues:
    """Single readings that leap and come back, in a series that is otherwise as ever; what leaps in
    several channels at once is patches of other water.
    """
    if s.shared >= 0.5:
        yield Clue(EVENT, 2.0, "leaps-together")
        return
    if s.spikes:
        yield Clue(SPIKE, 1.5 + 0.5 * min(s.spikes, 4), "spikes", {"count": s.spikes})
        if s.move is not None and abs(s.move.far) < FAR:
            yield Clue(SPIKE, 1.5, "otherwise-usual")
            yield Clue(EVENT, -1.5, "otherwise-usual")
    elif s.turns >= 2:
        yield Clue(SPIKE, 1.0 + 0.5 * min(s.turns, 4), "turns", {"count": s.turns})
        yield Clue(EVENT, -1.0, "turns", {"count": s.turns})
    if s.objections.get("spike", 0.0) and (s.spikes or s.turns >= 2):
        yield Clue(SPIKE, 1.0, "test-spike")


def leap(s: Symptoms) -> Clues:
    """A leap for the worse, and who makes it too: kin on the device, and neighbours."""
    if s.leap is None or s.move is None or not _matters(s.leap, s.move, s.parameter):
        return
    if joined := len(s.leap.joined):
        yield Clue(EVENT, min(1.5 + 0.5 * joined, 3.0), "leaps-with", {"count": joined})
    elif s.leap.kin and not s.leap.along and s.known:
        for cause in _LEAPING:
            yield Clue(cause, 0.5, "leaps-alone", {"count": s.leap.kin})
        yield Clue(EVENT, -1.0, "leaps-alone", {"count": s.leap.kin})
    if s.parameter in REGIONAL and s.leap.near and not s.leap.along and s.known:
        for cause in _LEAPING:
            yield Clue(cause, 0.7, "place-leaps-alone", {"count": s.leap.near})
        yield Clue(EVENT, -1.5, "place-leaps-alone", {"count": s.leap.near})


def _matters(leap: Leap, move: Move, parameter: str) -> bool:
    """Whether it is this leap that takes the series away, rather than back or for the better."""
    way = leap.after - leap.before
    before, after = abs(leap.before - move.usual), abs(leap.after - move.usual)
    back = before >= FAR * move.noise and after < before / 2
    small = abs(way) < abs(move.now - move.usual) / 2
    return not back and not small and way * WORSE.get(parameter, way) >= 0


def less(s: Symptoms) -> Clues:
    """Less of what an event brings, or none at all, which the air never is."""
    move = s.move
    if move is None or WORSE.get(s.parameter, 0) < 1 or move.now >= move.usual:
        return
    if move.now <= 0 and s.parameter not in _WATER:
        yield Clue(DRIFT, 1.0, "nothing", {"usual": move.usual})
        yield Clue(EVENT, -1.5, "nothing", {"usual": move.usual})
    elif move.far < -1.5:
        yield Clue(EVENT, -1.0, "less", {"now": move.now, "usual": move.usual})


def out_of_water(s: Symptoms) -> Clues:
    """A probe in the air reads no salt, and nothing else as before."""
    if s.parameter not in _WATER:
        return
    salt = s.channels.get("conductivity") or s.channels.get("salinity")
    if salt is None and s.parameter in {"conductivity", "salinity"}:
        salt = s.move
    if salt is not None and salt.usual > 5 and salt.now < 0.3 * salt.usual:
        said = {"now": salt.now, "usual": salt.usual}
        yield Clue(OUT_OF_WATER, 6.0, "no-salt", said)
        yield Clue(STUCK, -4.0, "no-salt", said)  # in the air it has nothing to move with
        yield Clue(EVENT, -2.0, "no-salt", said)
    level = s.channels.get("water_level")
    if level is not None and level.far < -1 and s.move is not None and abs(s.move.far) >= FAR:
        yield Clue(OUT_OF_WATER, 1.0, "low-tide", {"now": level.now})
    if s.work in {"deployment", "retrieval"}:
        yield Clue(OUT_OF_WATER, 3.0, "work", {"work": s.work})


def units(s: Symptoms) -> Clues:
    """A step to what is the same in another unit."""
    if s.leap is not None and min(s.leap.before, s.leap.after) > 0 and s.parameter:
        times = s.leap.after / s.leap.before
        for factor in FACTORS.get(CATALOGUE[s.parameter].unit, ()):
            if factor > _PLAIN and abs(abs(math.log(times)) - math.log(factor)) < _ROUGHLY:
                said = factor if times > 1 else 1 / factor
                yield Clue(UNITS, 4.5, "factor", {"factor": said})
                yield Clue(EVENT, -1.5, "factor", {"factor": said})
                return
    move = s.move
    if move is None or abs(move.far) < 2 * FAR or not move.usual or s.step < 0.6:
        return
    fahrenheit = move.usual * 1.8 + 32
    if CATALOGUE[s.parameter].unit == "Cel" and abs(move.now - fahrenheit) < 0.03 * fahrenheit:
        yield Clue(UNITS, 5.0, "fahrenheit", {"now": move.now, "usual": move.usual})
        return
    ratio = move.now / move.usual
    for factor in FACTORS.get(CATALOGUE[s.parameter].unit, ()):
        for times in (factor, 1 / factor):
            if abs(ratio / times - 1) < 0.06:
                weight = 4.5 if max(times, 1 / times) > _PLAIN else 1.5
                yield Clue(UNITS, weight, "factor", {"factor": times})
                yield Clue(EVENT, -weight / 3, "factor", {"factor": times})


def impossible(s: Symptoms) -> Clues:
    """Numbers that no sensor can have read."""
    if s.move is not None and s.parameter:
        low, high = CATALOGUE[s.parameter].physical
        if not low <= s.move.now <= high:
            yield Clue(EVENT, -6.0, "beyond", {"now": s.move.now})
    if share := s.objections.get("gross_range", 0.0):
        for cause in (UNITS, POWER, SPIKE):
            yield Clue(cause, 1.0, "test-range", {"share": share})
        yield Clue(EVENT, -2.0, "test-range", {"share": share})
    if share := s.objections.get("physics", 0.0):
        yield Clue(DRIFT, 1.5, "test-physics", {"share": share})
        yield Clue(OUT_OF_WATER, 0.5, "test-physics", {"share": share})
        yield Clue(EVENT, -1.5, "test-physics", {"share": share})
    if share := s.objections.get("sentinel", 0.0):
        yield Clue(POWER, 2.0, "test-sentinel", {"share": share})
        yield Clue(EVENT, -3.0, "test-sentinel", {"share": share})


def power(s: Symptoms) -> Clues:
    """A battery that ends, and what comes with it."""
    if s.parameter in {"battery_level", "battery_voltage"}:
        yield Clue(POWER, 4.0, "about-battery")
    if s.battery is not None and s.battery.now < 20:
        yield Clue(POWER, 3.0 if s.battery.now < 10 else 2.0, "battery", {"now": s.battery.now})
    if (volts := s.voltage) is not None:
        least = 11.5 if volts.usual >= 9 else 3.3
        if volts.far < -FAR and (volts.now < least or volts.now < 0.9 * volts.usual):
            yield Clue(POWER, 3.0, "voltage", {"now": volts.now, "usual": volts.usual})
    if s.gaps > 0.25:
        yield Clue(POWER, 0.7, "gaps", {"share": s.gaps})
    if s.flagged >= 0.5:
        yield Clue(POWER, 1.0, "whole-device", {"share": s.flagged})
        if s.parameter in _WATER:
            yield Clue(OUT_OF_WATER, 1.0, "whole-device")
        yield Clue(EVENT, -0.5, "whole-device", {"share": s.flagged})
    if s.kind == "missing":
        yield Clue(POWER, 2.5, "silent")
        yield Clue(EVENT, -3.0, "silent")


def clock(s: Symptoms) -> Clues:
    """Readings from the future, or a clock that is known to be wrong."""
    if s.kind == "device-clock":
        yield Clue(CLOCK, 6.0, "about-clock")
    elif s.ahead > 2 * MINUTE:
        yield Clue(CLOCK, 4.0, "ahead", {"lasts": s.ahead})
    if share := s.objections.get("timing", 0.0):
        yield Clue(CLOCK, 2.0, "test-timing", {"share": share})


def drift(s: Symptoms) -> Clues:
    """A departure that nothing else follows, slow or all at once."""
    move, creeps = s.move, s.creeps >= 4 and s.step < 0.7
    if move is None or s.parameter in _OWN_BIN or not (creeps or abs(move.far) >= FAR):
        return
    slowly = _slowly(s.parameter, move)
    if creeps and s.crowd >= 0.5:
        yield Clue(EVENT, 0.5, "crowd-creeps")
    elif creeps and (others := _creep_along(s)):
        yield Clue(EVENT, 1.0 * len(others), "others-creep", {"count": len(others)})
    elif creeps:
        yield Clue(slowly, 0.6 * s.creeps, "creeps", {"count": s.creeps})
        yield Clue(EVENT, -0.2 * s.creeps, "creeps", {"count": s.creeps})
    if s.climb >= 3 * HOUR and s.step < 0.35:
        yield Clue(slowly, 1.0, "slow", {"lasts": s.climb})
    joined = s.leap is not None and s.leap.joined
    if abs(move.far) >= 2 * FAR and s.step >= 0.6 and not joined and _as_ever(s):
        yield Clue(DRIFT, 1.0, "shifted")
        yield Clue(UNITS, 0.5, "shifted")
        yield Clue(EVENT, -0.7, "shifted")
    quiet = [near for near in s.neighbours if abs(near.far) < QUIET or abs(near.part) < SAME / 2]
    if len(quiet) >= 2 and len(quiet) == len(s.neighbours):
        for cause in (slowly, SPIKE, UNITS):
            yield Clue(cause, 0.8, "neighbours-quiet", {"count": len(quiet)})
        yield Clue(EVENT, -0.5, "neighbours-quiet", {"count": len(quiet)})
    if s.objections.get("neighbours", 0.0):
        yield Clue(slowly, 2.0, "test-neighbours")
    if s.work == "cleaning":
        yield Clue(FOULING, 2.0, "work", {"work": s.work})
    if s.work == "calibration":
        yield Clue(DRIFT, 2.0, "work", {"work": s.work})


def _as_ever(s: Symptoms) -> bool:
    """Whether it is no more restless than it was, as far as its pace lets one see."""
    return s.known and (math.isnan(s.rough) or s.rough < 1.5)


def apart(s: Symptoms) -> Clues:
    """It alone has left the others, for most of a day."""
    if s.kind == "neighbours" and s.move is not None:
        yield Clue(_slowly(s.parameter, s.move), 1.5, "apart")
        yield Clue(EVENT, -1.0, "apart")


def channels(s: Symptoms) -> Clues:
    """What must move together, and what an event moves besides."""
    if s.move is None or abs(s.move.far) < FAR or _sticks(s):
        return
    ways = ALONGSIDE.get(s.parameter, {})
    others = [(move, ways[name] * s.move.far) for name, move in s.channels.items() if name in ways]
    if len(others) >= 2 and all(_is_quiet(move, way) for move, way in others):
        yield Clue(DRIFT, 0.7, "others-quiet", {"count": len(others)})
        yield Clue(EVENT, -0.7, "others-quiet", {"count": len(others)})
    slowly = _slowly(s.parameter, s.move)
    for other, move in s.channels.items():
        bound = TOGETHER.get(s.parameter, {}).get(other, 0)
        beside = ALONGSIDE.get(s.parameter, {}).get(other, 0)
        said = {"parameter": other, "now": move.now, "usual": move.usual}
        if not bound and not beside:
            continue
        if (bound or beside) * move.far * s.move.far > 0 and abs(move.far) >= FAR:
            yield Clue(EVENT, 0.5 if bound else 1.5, "channel-agrees", said)
        elif bound and abs(move.far) < QUIET and abs(s.move.far) >= 2 * FAR:
            for cause in (slowly, SPIKE, UNITS, STUCK):
                yield Clue(cause, 1.5, "channel-differs", said)
            yield Clue(EVENT, -1.5, "channel-differs", said)


def _is_quiet(move: Move, way: float) -> bool:
    """Whether it does not move, or not so as an event takes it."""
    return abs(move.far) < (QUIET / 2 if move.far * way > 0 else QUIET)


def _creep_along(s: Symptoms) -> Sequence[str]:
    """The channels that go on for days as an event takes them; none where growth does it, which
    takes oxygen, but leaves the pH.
    """
    seen = {**s.creeping, s.parameter: 1 if s.move is not None and s.move.far > 0 else -1}
    green = max(seen.get("chlorophyll", 0), seen.get("turbidity", 0))
    if green > 0 > seen.get("dissolved_oxygen", 0) and "ph" not in seen:
        return []
    ways = ALONGSIDE.get(s.parameter, {})
    return [name for name, way in s.creeping.items() if ways.get(name) == way * seen[s.parameter]]


def _slowly(parameter: str, move: Move) -> FaultCause:
    """What takes a sensor there slowly: growth, where that is its way, else drift."""
    return FOULING if FOULS.get(parameter, 0) * move.far > 0 else DRIFT


def _sticks(s: Symptoms) -> bool:
    """Whether it agrees with others by what it once read alone."""
    return s.still >= 3 * HOUR and s.stirs


def neighbours(s: Symptoms) -> Clues:
    """Who stands nearby and sees the same."""
    if _sticks(s):
        return
    for number, near in enumerate(agreeing(s)):
        yield Clue(EVENT, 2.5 if number == 0 else 1.0, "neighbour-agrees", near._asdict())


def surroundings(s: Symptoms) -> Clues:
    """Rain, and what stands in the way of doubting."""
    sign = RAINY.get(s.parameter, 0)
    if s.rain > 0 and s.move is not None and sign * s.move.far > FAR:
        yield Clue(EVENT, 1.5, "rain", {"rate": s.rain})
    if s.parameter in _OWN_BIN:
        yield Clue(EVENT, 2.0, "of-the-bin")
    if s.kind == "anomaly" and s.move is not None and abs(s.move.far) < QUIET:
        yield Clue(EVENT, -0.5, "near-usual", {"now": s.move.now, "usual": s.move.usual})
    if s.move is not None and s.kind != "fault" and not s.objections:
        yield Clue(EVENT, 0.3, "tests-pass")


def dust(s: Symptoms) -> Clues:
    """Dust is coarse; a sensor that errs has no reason to err by more for coarse grains."""
    fine, coarse = (s.move if s.parameter == name else s.channels.get(name) for name in _DUST)
    if s.parameter not in _DUST or fine is None or coarse is None or fine.far < FAR or _sticks(s):
        return
    if 1.5 < (coarse.now - coarse.usual) / (fine.now - fine.usual) < _COARSEST:
        yield Clue(EVENT, 2.5, "dust")


RULES: Sequence[Callable[[Symptoms], Clues]] = (
    stuck,
    spike,
    leap,
    less,
    out_of_water,
    units,
    impossible,
    power,
    clock,
    drift,
    apart,
    channels,
    neighbours,
    dust,
    surroundings,
)


# --- from clues to a verdict ---


def judge(s: Symptoms) -> Opinion:
    """What the symptoms amount to."""
    clues = [clue for rule in RULES for clue in rule(s)]
    odds = _starts(s)
    for clue in clues:
        odds[clue.toward] += clue.weight
    shares = _shared(odds)
    event = shares[EVENT]
    cause = max(FaultCause, key=lambda one: shares[one])
    sure = max(event, 1 - event)
    said = any(clue.toward is cause and clue.weight > 0 for clue in clues)
    if sure < SURE_ENOUGH or not (said or event == sure):
        return Opinion(kind=VerdictKind.UNCLEAR, confidence=sure, clues=_weightiest(clues))
    if event == sure:
        return Opinion(
            kind=EVENT,
            confidence=sure,
            clues=_weightiest([c for c in clues if (c.toward is EVENT) == (c.weight > 0)]),
            confirmed=bool(agreeing(s)),
        )
    mine = [c for c in clues if c.toward is cause or (c.toward is EVENT and c.weight < 0)]
    return Opinion(
        kind=VerdictKind.SENSOR_FAULT,
        cause=cause,
        confidence=sure,
        clues=_weightiest(mine),
    )


def agreeing(s: Symptoms) -> Sequence[Any]:
    """The neighbours that move the same way, and not much less; of what belongs to one place alone
    nobody's do.
    """
    if s.move is None or s.parameter in _OWN_BIN or abs(s.move.far) < FAR:
        return []
    return [near for near in s.neighbours if abs(near.far) >= FAR and near.part >= SAME]


def _starts(s: Symptoms) -> dict[Hypothesis, float]:
    """Where each begins before anything is known: a flagged episode is rather the sensor's; what
    never was in the water cannot be out of it.
    """
    starts: dict[Hypothesis, float] = {EVENT: -0.5 if s.kind == "fault" else 1.0}
    starts |= dict.fromkeys(FaultCause, -1.5)
    return starts if s.parameter in _WATER else starts | {OUT_OF_WATER: -9.0}


def _shared(odds: Mapping[Hypothesis, float]) -> dict[Hypothesis, float]:
    most = max(odds.values())
    parts = {hypothesis: math.exp(value - most) for hypothesis, value in odds.items()}
    whole = sum(parts.values())
    return {hypothesis: part / whole for hypothesis, part in parts.items()}


MOST_CLUES = 6


def _weightiest(clues: Sequence[Clue]) -> list[Clue]:
    """The clues that matter most, each thing said once."""
    ordered = sorted(clues, key=lambda clue: -abs(clue.weight))
    said: dict[tuple[str, str], Clue] = {}
    for clue in ordered:
        said.setdefault(
            (clue.phrase, str(clue.values.get("parameter", clue.values.get("site")))), clue
        )
    return list(said.values())[:MOST_CLUES]
