"""What the YAML of a rule asks for at one site, read slowly: levels, durations, the calendar."""

from datetime import UTC, date, datetime, time, timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import holidays

Entry = dict[str, Any]  # one rule, as it stands in its file

SECOND = 1_000_000
MINUTE = 60 * SECOND
UNITS = {"s": SECOND, "m": MINUTE, "h": 60 * MINUTE, "d": 24 * 60 * MINUTE}
SEVERITIES = {"info": 1, "warning": 2, "critical": 3}
FLAGS = {"good": 1, "not-evaluated": 2, "suspect": 3, "fail": 4}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SIDES = ("above", "below", "outside")


def duration(text: str) -> int:
    """In µs: `90s`, `5m`, `2h`, `3d`."""
    return int(text[:-1]) * UNITS[text[-1]]


def span(side: str, level: Any) -> tuple[float, float]:
    """Where all is right, both ends included."""
    if side == "outside":
        low, high = level
        return low, high
    return (-inf, level) if side == "above" else (level, inf)


class Asked:
    """What a rule asks for at a site."""

    def __init__(self, entry: Entry, site: str, zone: ZoneInfo) -> None:
        own = entry.get("overrides", {}).get(site, {})
        if any(side in own for side in SIDES):
            entry = {key: value for key, value in entry.items() if key not in SIDES}
        entry = entry | own
        self.levels = levels(entry)
        self.clear = self.levels[min(self.levels)]
        if isinstance(entry.get("clear"), list):
            self.clear = tuple(entry["clear"])
        elif "clear" in entry:
            self.clear = span("below" if "below" in entry else "above", entry["clear"])
        self.hold = duration(entry.get("for", "0s"))
        self.clear_hold = duration(entry.get("clear_for", "0s"))
        flap = entry.get("flap", {})
        self.flap_times: int = flap.get("times", 4)
        self.flap_within = duration(flap.get("within", "1h"))
        self.calendar = Calendar(entry["when"], zone) if "when" in entry else None

    def breached(self, value: float) -> int:
        """The worst severity that the value breaches, 0 if none."""
        beyond = [s for s, (low, high) in self.levels.items() if not low <= value <= high]
        return max(beyond, default=0)

    def is_clear(self, value: float) -> bool:
        """Whether an alert may end there."""
        return self.clear[0] <= value <= self.clear[1]

    def eased(self, value: float, severity: int) -> int:
        """The severity that remains: each is left with the margin with which the alert ends."""
        mildest = min(self.levels)
        below = margin(self.clear[0], self.levels[mildest][0])
        above = margin(self.levels[mildest][1], self.clear[1])
        for one in sorted(self.levels, reverse=True):
            low, high = self.levels[one]
            if one <= severity and not low + below <= value <= high - above:
                return one
        return mildest

    def waits(self, at: int) -> bool:
        """Whether the rule is not in force then."""
        return self.opens(at) > at

    def closes(self, at: int) -> float:
        """When the open stretch that holds `at` ends; `at` itself where it is not open then."""
        return inf if self.calendar is None else self.calendar.next(at, opened=False)

    def opens(self, at: int) -> float:
        """When the rule is in force next, `at` itself if it is then."""
        return at if self.calendar is None else self.calendar.next(at, opened=True)


def margin(high: float, low: float) -> float:
    """Between two levels; nothing where a side has none."""
    return high - low if abs(high) != inf and abs(low) != inf else 0.0


def levels(entry: Entry) -> dict[int, tuple[float, float]]:
    """For each severity where all is right."""
    if entry["kind"] == "composite":
        need = {"all": len(entry["of"]), "any": 1}.get(entry["need"]) or int(entry["need"])
        return {SEVERITIES[entry.get("severity", "warning")]: (-inf, need - 1)}
    if entry["kind"] in {"count", "fault"}:
        return {SEVERITIES[name]: (-inf, times - 1) for name, times in entry["times"].items()}
    (side,) = (side for side in SIDES if side in entry)
    return {SEVERITIES[name]: span(side, level) for name, level in entry[side].items()}


class Calendar:
    """`when:` of a rule. Nothing can change but at a clock time that its hours name, so it is
    looked at there, day after day.
    """

    def __init__(self, when: Entry, zone: ZoneInfo) -> None:
        self.when = when
        self.zone = zone
        hours = when.get("hours", "00:00-00:00")
        self.hours = [text.split("-") for text in ([hours] if isinstance(hours, str) else hours)]

    def next(self, at: int, *, opened: bool) -> float:
        """The first moment from `at` on at which it is open, or closed; never, if not in years."""
        if self.is_open(at) is opened:
            return at
        today = datetime.fromtimestamp(at // SECOND, UTC).astimezone(self.zone).date()
        for days in range(800):
            for clock in sorted({clock for pair in self.hours for clock in pair}):
                there = datetime.combine(
                    today + timedelta(days=days), time.fromisoformat(clock), self.zone
                )
                moment = round(there.timestamp()) * SECOND
                if moment > at and self.is_open(moment) is opened:
                    return moment
        return inf

    def is_open(self, at: int) -> bool:
        """Whether it is in force; hours over midnight belong to the day on which they begin."""
        local = datetime.fromtimestamp(at // MINUTE * 60, UTC).astimezone(self.zone)
        today, yesterday = local.date(), local.date() - timedelta(days=1)
        clock = f"{local:%H:%M}"
        for begin, end in self.hours:
            if begin < end:
                if begin <= clock < end and self.takes(today):
                    return True
            elif (clock >= begin and self.takes(today)) or (clock < end and self.takes(yesterday)):
                return True
        return False

    def takes(self, day: date) -> bool:
        """Whether hours that begin on this day count."""
        if DAYS[day.weekday()] not in self.when.get("days", DAYS):
            return False
        if "season" in self.when:
            first, last = self.when["season"].split("..")
            today = f"{day:%m-%d}"
            inside = [first <= today, today <= last]
            if not (all(inside) if first <= last else any(inside)):
                return False
        asked = self.when.get("holidays")
        return asked is None or (day in HOLIDAYS) == (asked == "only")


HOLIDAYS = holidays.country_holidays("TH")
