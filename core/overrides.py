"""Limits of quality in layers: what the catalogue says, a device's profile and its site change.

A `quality:` section of a profile or a site names parameters, and below each the fields of `Limits`
that it changes. There is one order, catalogue → profile → site, and one function that merges.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from core.catalogue import CATALOGUE
from core.configuration import Located, Place, SiteEntry, SitesFile, Strict, micros, read
from core.errors import ConfigError
from core.quality import Climate, Limits, Span
from core.times import SECOND

FROM_CATALOGUE = "catalogue"
FIELDS = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What one file says otherwise of one parameter: fields of `Limits`, and where each stands."""

    values: Mapping[str, Any]
    places: Mapping[str, str]


Overrides: TypeAlias = Mapping[str, Override]  # by parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The limits of a series, and where each field comes from: `catalogue` or file:line."""

    limits: Limits
    origin: Mapping[str, str]


def effective(limits: Limits, *overrides: Override | None) -> Effective:
    """`limits` with each override on top of those before it; None changes nothing.

    >>> site = Override(values={"spike": 2.0}, places={"spike": "sites.yaml:7"})
    >>> merged = effective(Limits(spike=1.0, rate=0.5), None, site)
    >>> merged.limits.spike, merged.origin["spike"], merged.limits.rate, merged.origin["rate"]
    (2.0, 'sites.yaml:7', 0.5, 'catalogue')
    """
    origin = dict.fromkeys(FIELDS, FROM_CATALOGUE)
    for override in overrides:
        if override is not None:
            origin |= override.places
    return Effective(limits=merged(limits, *overrides), origin=origin)


def merged(limits: Limits, *overrides: Override | None) -> Limits:
    """The same without their origin."""
    for override in overrides:
        if override is not None:
            limits = replace(limits, **override.values)
    return limits


def _span(given: Any) -> Any:
    match given:
        case [low, high] if {type(low), type(high)} <= {int, float} and low <= high:
            return float(low), float(high)
    raise ValueError("write the lower end and the upper one, as in [24, 34]")


def _seconds(text: object) -> object:
    found = micros(text)
    return found / SECOND if isinstance(found, int) else found


def _round(names: str, first: int, last: int) -> BeforeValidator:
    """Makes numbers of a pair: from one to the other, over the end of the round if need be."""
    known = range(first, last + 1)

    def numbers(given: Any) -> Any:
        match given:
            case [begin, end] if begin in known and end in known:
                length = (end - begin) % len(known) + 1
                return frozenset((begin - first + n) % len(known) + first for n in range(length))
        raise ValueError(f"write two {names} from {first} to {last}, the first and the last")

    return BeforeValidator(numbers)


SpanEntry = Annotated[Span, BeforeValidator(_span)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Least = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Months = Annotated[frozenset[int], _round("months", 1, 12)]
Hours = Annotated[frozenset[int], _round("hours", 0, 23)]
ALWAYS = frozenset(range(1, 13))
ALL_DAY = frozenset(range(24))


class ClimateEntry(Strict):
    """What is usual in some months and hours, both from the first to the last."""

    season: str | None = None
    months: Months | None = None
    hours: Hours | None = None
    span: SpanEntry

    @model_validator(mode="after")
    def _one_of_both(self) -> "ClimateEntry":
        if self.season is not None and self.months is not None:
            raise ValueError("write season or months, not both")
        return self


class LimitsEntry(Strict):
    """Fields of `Limits` as YAML; null switches a test off."""

    sentinels: list[float] = Field(default_factory=list)
    sensor_span: SpanEntry | None = None
    user_span: SpanEntry | None = None
    climatology: list[ClimateEntry] = Field(default_factory=list)
    dry: float | None = None
    spike: Positive | None = None
    spike_fail: Positive | None = None
    rate: Positive | None = None
    noise_factor: Least = 0.0
    reach: Seconds = 0.0
    flat_tolerance: Least | None = None
    flat_suspect: Seconds | None = None
    flat_fail: Seconds | None = None
    rests: SpanEntry | None = None
    attenuated: Positive | None = None
    neighbour_difference: Positive | None = None
    neighbour_km: Positive | None = None
    ahead: Seconds | None = None
    late: Seconds | None = None
    gap: Seconds | None = None


class SiteWithQuality(SiteEntry):
    """A site of `sites.yaml` with what is usual there, by parameter."""

    quality: dict[str, LimitsEntry] = Field(default_factory=dict)


class SitesWithQuality(SitesFile):
    """`sites.yaml` with its seasons: months from the first to the last."""

    seasons: dict[str, Months] = Field(default_factory=dict)
    sites: list[SiteWithQuality]  # type: ignore[assignment]


def load(folder: Path) -> Mapping[str, Overrides]:
    """What `sites.yaml` in `folder` changes, by site.

    Raises:
        ConfigError: with every mistake, its file and line.
    """
    file = read(folder / "sites.yaml", SitesWithQuality)
    seasons, found, problems = file.content.seasons, {}, list[str]()
    for number, site in enumerate(file.content.sites):
        here = ("sites", number, "quality")
        problems += problems_of(file, here, site.quality, seasons)
        if site.quality and not problems:
            found[site.id] = overrides_of(file, here, site.quality, seasons)
    if problems:
        raise ConfigError(problems)
    return MappingProxyType(found)


def problems_of(
    file: Located[Any],
    here: Place,
    section: Mapping[str, LimitsEntry],
    seasons: Mapping[str, frozenset[int]],
) -> Iterator[str]:
    """What is wrong with a `quality:` section that stands at `here`, beside its form."""
    for key, entry in section.items():
        if key not in CATALOGUE:
            yield file.problem((*here, key), f"parameter {key} is not in the catalogue")
            continue
        for number, climate in enumerate(entry.climatology):
            if climate.season is not None and climate.season not in seasons:
                text = f"season {climate.season} is not known here; write months, or one of "
                text += f"{', '.join(seasons) or 'none'}"
                yield file.problem((*here, key, "climatology", number, "season"), text)
                return
        changed = overrides_of(file, here, {key: entry}, seasons)[key]
        merged = effective(CATALOGUE[key].limits, changed).limits
        for field, words, wrong in _CONTRADICTIONS:
            if wrong(merged):
                yield file.problem((*here, key, field), f"{field} of {key} {words}")


def overrides_of(
    file: Located[Any],
    here: Place,
    section: Mapping[str, LimitsEntry],
    seasons: Mapping[str, frozenset[int]],
) -> Overrides:
    """The overrides of a `quality:` section without problems."""
    return {
        key: Override(
            values={field: _value(entry, field, seasons) for field in _given(entry)},
            places={field: file.where((*here, key, field)) for field in _given(entry)},
        )
        for key, entry in section.items()
    }


def _given(entry: LimitsEntry) -> list[str]:
    return [field for field in FIELDS if field in entry.model_fields_set]


def _value(entry: LimitsEntry, field: str, seasons: Mapping[str, frozenset[int]]) -> Any:
    value = getattr(entry, field)
    if field == "climatology":
        return tuple(_climate(climate, seasons) for climate in value)
    return tuple(value) if field == "sentinels" else value


def _climate(entry: ClimateEntry, seasons: Mapping[str, frozenset[int]]) -> Climate:
    months = entry.months if entry.season is None else seasons[entry.season]
    return Climate(months=months or ALWAYS, hours=entry.hours or ALL_DAY, span=entry.span)


def _wider(inner: Span | None, outer: Span | None) -> bool:
    return bool(inner and outer and (inner[0] < outer[0] or inner[1] > outer[1]))


def _below(fail: float | None, suspect: float | None) -> bool:
    return fail is not None and suspect is not None and fail < suspect


_CONTRADICTIONS: tuple[tuple[str, str, Callable[[Limits], bool]], ...] = (
    ("user_span", "is wider than sensor_span", lambda m: _wider(m.user_span, m.sensor_span)),
    ("spike_fail", "is below spike", lambda m: _below(m.spike_fail, m.spike)),
    ("flat_fail", "is shorter than flat_suspect", lambda m: _below(m.flat_fail, m.flat_suspect)),
    (
        "flat_tolerance",
        "is missing; flat_suspect and flat_fail need it",
        lambda m: m.flat_tolerance is None and bool(m.flat_suspect or m.flat_fail),
    ),
    (
        "neighbour_km",
        "is missing; neighbour_difference needs it",
        lambda m: m.neighbour_km is None and m.neighbour_difference is not None,
    ),
)
