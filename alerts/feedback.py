"""What officers' labels say of rules: how often they were right, and what would make them better.

A suggestion is a change of one key, tried over the stored history beside the rule as it is. It is
made only where enough alerts were found true and enough were not, and it never loses a true one.
Nothing changes by itself. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.backtest import Firing
from alerts.standards import Limit
from core.configuration import duration, micros
from core.languages import Language
from core.times import MINUTE, from_micros
from core.verdicts import Label
from storage.alert_labels import Found

ENOUGH = 3  # true ones, and others, before anything is suggested
WRONG = (Label.FALSE, Label.SENSOR)
_FARTHER = (1.1, 1.2, 1.35, 1.5, 2.0)  # of the way from clear to the mildest level
_LONGER = (2, 3, 6)
_SHORTEST = 5 * MINUTE
_SENSITIVITY = ("low", "normal", "high")
_SIDES = ("above", "below")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A rule in a month of the city's calendar; `precision` is the part of true ones among those
    that were found true, false or the sensor's, None where none was.
    """

    rule: str
    month: str
    alerts: int
    labels: Mapping[Label, int]

    @property
    def precision(self) -> float | None:
        """How often it was right."""
        true, wrong = self.labels[Label.TRUE], sum(self.labels[label] for label in WRONG)
        return true / (true + wrong) if true + wrong else None


class Tried(NamedTuple):
    """What a rule does over the past: how often it fires, and how many of the alerts that were
    found true, and of the others, it would have been.
    """

    firings: int
    true: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What would make a rule better: the keys as they would be (none where nothing would), and what
    came of it, beside the rule as it is.
    """

    rule: str
    true: int
    wrong: int
    now: Tried | None = None
    change: Mapping[str, Any] | None = None
    then: Tried | None = None

    def said(self, language: Language) -> str:
        """The suggestion in words."""
        if self.now is None:
            words = _FEW[language]
        elif self.then is None:
            words = _NOTHING[language]
        else:
            words = _BETTER[language]
        change = ", ".join(f"{key}: {_yaml(value)}" for key, value in (self.change or {}).items())
        return words.format(
            true=self.true,
            wrong=self.wrong,
            few=ENOUGH,
            change=change,
            kept=self.then.true if self.then else 0,
            left=self.then.wrong if self.then else 0,
            now=self.now.wrong if self.now else 0,
            had=self.now.true if self.now else 0,
        )


_FEW: Mapping[Language, str] = {
    "en": "{true} alerts were found true and {wrong} were not; at least {few} of each are needed.",
    "th": "มีการแจ้งเตือนที่ถูกต้อง {true} และไม่ถูกต้อง {wrong} รายการ ต้องมีอย่างน้อยอย่างละ {few}",
}
_NOTHING: Mapping[Language, str] = {
    "en": "Nothing that was tried would fire less often in vain without losing a true alert "
    "({true} true, {wrong} not).",
    "th": "ยังไม่พบการปรับที่ลดการแจ้งผิดโดยไม่เสียการแจ้งเตือนที่ถูกต้อง (ถูกต้อง {true} ไม่ถูกต้อง {wrong})",
}
_BETTER: Mapping[Language, str] = {
    "en": "With {change} it would have fired in vain {left} times instead of {now}, and for {kept} "
    "of the {had} true alerts.",
    "th": "หากใช้ {change} จะแจ้งผิด {left} ครั้งแทน {now} ครั้ง และยังแจ้งถูกต้อง {kept} จาก {had} ครั้ง",
}


def months(found: Iterable[Found], zone: ZoneInfo) -> list[Month]:
    """Each rule in each month, the newest month first."""
    counted: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        month = f"{from_micros(one.start).astimezone(zone):%Y-%m}"
        counted.setdefault((month, one.rule), []).append(one)
    return [
        Month(
            rule=rule,
            month=month,
            alerts=len(mine),
            labels={label: sum(one.label is label for one in mine) for label in Label},
        )
        for (month, rule), mine in sorted(counted.items(), key=lambda item: _newest(item[0]))
    ]


def suggest(
    rule: str,
    body: Mapping[str, Any],
    found: Sequence[Found],
    limits: Iterable[Limit],
    backtest: Callable[[Sequence[Mapping[str, Any]]], Sequence[Firing]],
) -> Suggestion:
    """What would make a rule, with this `body`, better; `backtest` tells what rules would have done
    over the time in which these alerts were found, `limits` are those of standards, which stay.
    """
    true = [one for one in found if one.label is Label.TRUE]
    wrong = [one for one in found if one.label in WRONG]
    few = Suggestion(rule=rule, true=len(true), wrong=len(wrong))
    changes = [*candidates(body, limits)]
    if min(len(true), len(wrong)) < ENOUGH:
        return few
    tried = {f"{rule}.{number}": change for number, change in enumerate([{}, *changes])}
    fired = backtest([{**body, **change, "id": name} for name, change in tried.items()])
    came = {name: _tried(name, fired, true, wrong) for name in tried}
    (_, now), *others = came.items()
    better = [
        (then.wrong, number, name)
        for number, (name, then) in enumerate(others)
        if then.true >= now.true and then.wrong < now.wrong
    ]
    if not better:
        return replace(few, now=now)
    _, _, best = min(better)
    return replace(few, now=now, change=tried[best], then=came[best])


def candidates(body: Mapping[str, Any], limits: Iterable[Limit]) -> Iterator[dict[str, Any]]:
    """Changes that would make a rule fire less, the least first: a longer `for`, a mildest level
    farther out, where that is none of a standard's, more readings, a lower sensitivity.
    """
    if body["kind"] == "composite":
        return
    held = max(_micros(body.get("for", 0)), _SHORTEST)
    yield from ({"for": duration(held * times)} for times in _LONGER)
    yield from _levels(body, {limit.value for limit in limits})
    if times := body.get("times"):
        for factor in (1.25, 1.5, 2.0):
            more = {name: round(count * factor) for name, count in times.items()}
            if max(more.values()) <= body.get("of", max(more.values())):
                yield {"times": more}
    if body.get("sensitivity") in _SENSITIVITY[1:]:
        yield {"sensitivity": _SENSITIVITY[_SENSITIVITY.index(body["sensitivity"]) - 1]}


def _levels(body: Mapping[str, Any], fixed: set[float]) -> Iterator[dict[str, Any]]:
    side = next((side for side in _SIDES if body.get(side)), None)
    if side is None:
        return
    levels: Mapping[str, float] = body[side]
    mildest = next(name for name in ("info", "warning", "critical") if name in levels)
    level, clear = levels[mildest], body.get("clear")
    if level in fixed:
        return
    way = (level - clear if clear is not None else 0.0) or 0.1 * abs(level) * (
        1 if side == "above" else -1
    )
    worse = [value for name, value in levels.items() if name != mildest]
    for factor in _FARTHER:
        farther = float(f"{level + (factor - 1) * way:.4g}")
        beyond = max(worse, default=None) if side == "above" else min(worse, default=None)
        if beyond is None or (farther < beyond if side == "above" else farther > beyond):
            yield {side: {**levels, mildest: farther}}


def _tried(
    name: str, fired: Iterable[Firing], true: Sequence[Found], wrong: Sequence[Found]
) -> Tried:
    mine = [firing for firing in fired if firing.rule == name]
    return Tried(len(mine), *(sum(_met(one, mine) for one in some) for some in (true, wrong)))


def _met(one: Found, firings: Iterable[Firing]) -> bool:
    """Whether a rule would have fired at that place meanwhile."""
    return any(
        firing.subject == one.subject
        and firing.end >= one.start
        and (one.end is None or firing.start <= one.end)
        for firing in firings
    )


def _micros(written: object) -> int:
    found = micros(0 if written == "0" else written)
    return found if isinstance(found, int) else 0


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {one}" for key, one in value.items()) + "}"
    return str(value)


def _newest(key: tuple[str, str]) -> tuple[int, str]:
    month, rule = key
    return -int(month.replace("-", "")), rule
