"""What can be wrong with rules beyond their form: each mistake with its line and what to write."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from alerts.operations import OPERATIONS
from alerts.rule_entries import EVERY_KIND, MAY, NEEDS, RuleEntry, RulesFile
from alerts.rule_meaning import (
    SIDES,
    Limits,
    clear,
    counted_span,
    named_limits,
    needed,
    overridden,
    spans,
)
from core.catalogue import CATALOGUE
from core.configuration import Configuration, Located, Place
from core.times import DAY

WRONG_WAY = "the first level must not be above the second"
LONGEST = 30 * DAY  # readings older than that are not taken, so nothing lasts longer for a rule


class Mistake(NamedTuple):
    """What is wrong, and where: the file, and the place in it."""

    file: Located[RulesFile]
    place: Place
    words: str

    @property
    def line(self) -> str:
        """One line with file, line number and what to write."""
        return self.file.problem(self.place, self.words)


Places = Mapping[str, tuple[Located[RulesFile], int]]  # of each rule its file, and where in it


def mistakes(
    files: Sequence[Located[RulesFile]], configuration: Configuration | None, limits: Limits
) -> Iterable[Mistake]:
    """Every mistake of the files, in their order."""
    places: dict[str, tuple[Located[RulesFile], int]] = {}
    for file in files:
        for index, entry in enumerate(file.content.rules):
            here: Place = ("rules", index)
            if entry.id in places:
                first, position = places[entry.id]
                there = first.where(("rules", position)).rpartition("/")[2]
                text = f"two rules are called {entry.id}; rename this or that of {there}"
                yield Mistake(file, (*here, "id"), text)
            places.setdefault(entry.id, (file, index))
            for place, text in _entry_problems(entry, configuration, limits):
                yield Mistake(file, (*here, *place), text)
    yield from _composite_mistakes(places)
    yield from _inhibitor_mistakes(places)


Found = Iterable[tuple[Place, str]]


def _entry_problems(entry: RuleEntry, configuration: Configuration | None, limits: Limits) -> Found:
    strange = list(_key_problems(entry))
    if strange:
        yield from strange
        return
    if entry.parameter is not None and entry.parameter not in CATALOGUE:
        text = f"parameter {entry.parameter} is not in the catalogue; see docs/parameters.md"
        yield ("parameter",), text
    yield from _terms_problems(entry, limits)
    for site, own in entry.overrides.items():
        for place, text in _terms_problems(overridden(entry, own), limits):
            yield ("overrides", site, *place), text
    yield from _kind_problems(entry)
    if configuration is not None:
        yield from _city_problems(entry, configuration)


def _key_problems(entry: RuleEntry) -> Found:
    """Keys that its kind does not know, or lacks."""
    kind = entry.kind
    allowed = {*EVERY_KIND, *NEEDS[kind], *MAY[kind]}
    names = {name: field.alias or name for name, field in RuleEntry.model_fields.items()}
    for name in entry.model_fields_set:
        if name not in allowed:
            yield (names[name],), f"{names[name]} is nothing for a rule of kind {kind}; remove it"
    for name in NEEDS[kind]:
        if getattr(entry, name) is None:
            yield (), f"a rule of kind {kind} needs {names[name]}:"


def _terms_problems(entry: RuleEntry, limits: Limits) -> Found:
    strange = list(_limit_problems(entry, limits))
    yield from strange or _level_problems(entry, limits)
    yield from _too_long({("for",): entry.hold, ("clear_for",): entry.clear_hold})


def _too_long(durations: Mapping[Place, int | None]) -> Found:
    for place, lasting in durations.items():
        if (lasting or 0) > LONGEST:
            yield place, f"{place[-1]} is longer than readings are taken back, {LONGEST // DAY}d"


def _limit_problems(entry: RuleEntry, limits: Limits) -> Found:
    for place, name in named_limits(entry):
        limit = limits.get(name)
        if limit is None:
            yield place, f"{name} is no limit in standards/; correct it or write a number"
        elif limit.parameter != entry.parameter:
            yield place, f"{name} is a limit of {limit.parameter}, not of {entry.parameter}"


def _level_problems(entry: RuleEntry, limits: Limits) -> Found:
    sides = [side for side in SIDES if getattr(entry, side)]
    if entry.kind in {"missing", "rate", "threshold"} and len(sides) != 1:
        yield (), "write one of above:, below: or outside:, with a level for each severity"
        return
    if entry.kind == "count":
        breach = [side for side in SIDES if getattr(entry.breach, side) is not None]
        if len(breach) != 1:
            yield ("breach",), "write one of above:, below: or outside:, with one level"
            return
        low, high = counted_span(entry, limits)
        if low > high:
            yield ("breach", "outside"), WRONG_WAY
    own = {"anomaly": "sensitivity", "composite": "need", "count": "times", "fault": "times"}
    own["neighbours"] = "apart"
    sides = [own[entry.kind]] if entry.kind in own else sides
    yield from _order_problems(entry, limits, sides[0])


def _order_problems(entry: RuleEntry, limits: Limits, side: str) -> Found:
    found = spans(entry, limits)
    if not found:
        yield (side,), "write at least one severity"
        return
    ordered = [found[severity] for severity in sorted(found)]
    for milder, worse in pairwise(ordered):
        if not milder.within(worse) or worse == milder:
            yield (side,), "a worse severity needs a level further out"
            return
    mildest = ordered[0]
    if mildest.low > mildest.high:
        yield (side,), WRONG_WAY
        return
    ends = clear(entry, mildest)
    if entry.clear is not None and isinstance(entry.clear, list) != (side == "outside"):
        form = "[low, high]" if side == "outside" else "one number"
        yield ("clear",), f"write clear: as {form}"
    elif ends.low > ends.high or not ends.within(mildest):
        yield ("clear",), _too_far(entry, side, mildest.low, mildest.high)


def _too_far(entry: RuleEntry, side: str, low: float, high: float) -> str:
    if isinstance(entry.clear, list):
        return f"clear must lie between the mildest levels, {low:g} and {high:g}"
    bound = f"at least {low:g}" if side == "below" else f"at most {high:g}"
    return f"clear {entry.clear:g} is beyond the mildest level; write {bound}"


def _kind_problems(entry: RuleEntry) -> Found:
    yield from _too_long(
        {
            ("every",): entry.every,
            ("flap", "within"): entry.flap.within,
            ("stale_after",): entry.stale_after,
        }
    )
    match entry.kind:
        case "count" | "fault":
            yield from _count_problems(entry)
        case "rate" if entry.window is not None and not 0 < entry.window <= LONGEST:
            yield ("window",), f"write a window of up to {LONGEST // DAY}d"
        case "missing":
            if entry.of not in {None, "device", "gateway"}:
                yield ("of",), "write of: device or of: gateway"
            levels = (entry.above or {}).values()
            if any(isinstance(level, str) or level <= 0 for level in levels):
                yield ("above",), "write how many expected intervals of silence, more than 0"
        case "composite":
            if not isinstance(entry.of, list) or not entry.of:
                yield ("of",), "write the ids of rules, as in of: [a, b]"


def _count_problems(entry: RuleEntry) -> Found:
    if (entry.of is None) == (entry.within is None):
        yield (), "write either of:, a number of readings, or within:, a time"
    elif entry.of is not None and (not isinstance(entry.of, int) or not 1 <= entry.of <= 1000):
        yield ("of",), "write a number of readings, 1 to 1000"
    elif isinstance(entry.of, int) and entry.of < max((entry.times or {}).values(), default=0):
        yield ("times",), f"of {entry.of} readings no more than {entry.of} can be out of range"
    elif entry.within is not None and not 0 < entry.within <= LONGEST:
        yield ("within",), f"write a time of up to {LONGEST // DAY}d"


def _city_problems(entry: RuleEntry, configuration: Configuration) -> Found:
    """What the city does not have."""
    for site in entry.overrides:
        if site not in configuration.sites:
            yield ("overrides", site), f"{site} is none of the sites in sites.yaml; correct it"
    if entry.when and entry.when.holidays and not configuration.country:
        yield ("when", "holidays"), "whose holidays? write country: TH, say, in sites.yaml"
    known = {
        "kinds": {site.kind for site in configuration.sites.values()},
        "sites": set(configuration.sites),
        "devices": set(configuration.devices),
    }
    for key, choices in known.items():
        for position, word in enumerate(getattr(entry.select, key)):
            if word not in choices:
                text = f"{word} is none of the {key} in sites.yaml and devices.yaml; correct it"
                yield ("select", key, position), text


def _composite_mistakes(places: Places) -> Iterable[Mistake]:
    entries = [(*where, where[0].content.rules[where[1]]) for where in places.values()]
    operands = {entry.id: _named(entry) for _, _, entry in entries}
    for file, index, entry in entries:
        if not _named(entry):
            continue
        place: Place = ("rules", index)
        for position, operand in enumerate(_named(entry)):
            if operand not in places:
                text = f"no rule is called {operand}; correct it"
                yield Mistake(file, (*place, "of", position), text)
        circle = _circle(entry.id, operands)
        if circle:
            text = f"{' needs '.join(circle)}; a composite must not need itself"
            yield Mistake(file, (*place, "of"), text)
        wide = entry.over in {"district", "city"} and isinstance(entry.need, int)
        if not wide and needed(entry) > len(_named(entry)):
            text = f"it has {len(_named(entry))} operands and needs {needed(entry)}"
            yield Mistake(file, (*place, "need"), text)


def _named(entry: RuleEntry) -> list[str]:
    """The rules that a composite looks at; none of any other kind."""
    return entry.of if entry.kind == "composite" and isinstance(entry.of, list) else []


def _inhibitor_mistakes(places: Places) -> Iterable[Mistake]:
    inhibitors = {name: file.content.rules[at].inhibited_by for name, (file, at) in places.items()}
    for name, (file, index) in places.items():
        place: Place = ("rules", index, "inhibited_by")
        for position, inhibitor in enumerate(inhibitors[name]):
            if inhibitor not in inhibitors and inhibitor not in OPERATIONS:
                text = f"no rule is called {inhibitor}; correct it"
                yield Mistake(file, (*place, position), text)
        circle = _circle(name, inhibitors)
        if circle:
            text = f"{' is inhibited by '.join(circle)}; one of them must be heard"
            yield Mistake(file, place, text)


def _circle(start: str, operands: Mapping[str, list[str]]) -> list[str]:
    """A way from a rule, over what it names, back to itself; empty when there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for operand in operands.get(way[-1], []):
            if operand == start:
                return [*way, start]
            if operand not in seen:
                seen.add(operand)
                ways.append([*way, operand])
    return []
