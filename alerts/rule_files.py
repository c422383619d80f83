"""From `config/rules/*.yaml` to rules."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts import standards
from alerts.anomaly.calendar import Clock
from alerts.kinds.anomaly import Anomaly
from alerts.kinds.composite import WIDE, Composite
from alerts.kinds.count import Count
from alerts.kinds.fault import EVERY_FLAG, FLAGGED, Fault
from alerts.kinds.missing import Missing
from alerts.kinds.neighbours import Neighbours
from alerts.kinds.rate import Rate
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels
from alerts.rule_checks import mistakes
from alerts.rule_entries import FLAGS, RuleEntry, RulesFile
from alerts.rule_meaning import (
    Limits,
    clear,
    counted_span,
    named_limits,
    overridden,
    resolved,
    schedule,
    spans,
)
from alerts.rules import Kind, Rule, Selection, Terms
from core.configuration import UTC_ZONE, Configuration, Located, read
from core.errors import ConfigError
from core.times import HOUR, MINUTE

FOLDER = "rules"


def load(folder: Path, configuration: Configuration) -> tuple[Rule, ...]:
    """The rules of the city in `folder`, from `rules/*.yaml`.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    return load_at(folder / FOLDER, configuration)


def load_at(path: Path, configuration: Configuration | None) -> tuple[Rule, ...]:
    """The rules of one file, or of all files in a folder, with the standards of their city; without
    a configuration nobody knows whether what they select is there, and schedules are in UTC.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    files, limits = files_at(path), standards.load(city_of(path))
    found = [mistake.line for mistake in mistakes(files, configuration, limits)]
    if found:
        raise ConfigError(found)
    entries = [entry for file in files for entry in file.content.rules]
    return tuple(rule_of(entry, configuration, limits) for entry in entries)


def city_of(path: Path) -> Path:
    """The folder of the city that a file or folder of rules belongs to."""
    return path.parent.parent if path.is_file() and path.parent.name == FOLDER else path.parent


def files_at(path: Path) -> list[Located[RulesFile]]:
    """The file, or every file of the folder in the order of their names; what the rules mean is not
    looked at.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    single = path.parent / f"{FOLDER}.yaml"
    if path.name == FOLDER and single.exists():
        raise ConfigError([f"{single}: is not read; move it into {path}/"])
    paths = [path] if not path.is_dir() else sorted(path.glob("*.yaml"))
    files, problems = list[Located[RulesFile]](), list[str]()
    for one in paths:
        try:
            files.append(read(one, RulesFile))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return files


def rule_of(entry: RuleEntry, configuration: Configuration | None, limits: Limits) -> Rule:
    """What an entry without mistakes means."""
    terms, kind = _terms(entry, configuration, limits), _kind(entry, configuration, limits)
    overrides = {
        site: _terms(overridden(entry, own), configuration, limits)
        for site, own in entry.overrides.items()
    }
    text = entry.model_dump_json(exclude={"name", "source", "inhibited_by"}, exclude_defaults=True)
    text += repr((terms, kind, sorted(overrides.items())))
    return Rule(
        id=entry.id,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
        name=entry.name.model_dump(),
        kind=kind,
        terms=terms,
        parameter=entry.parameter or "",
        selection=Selection(
            kinds=frozenset(entry.select.kinds),
            sites=frozenset(entry.select.sites),
            devices=frozenset(entry.select.devices),
        ),
        overrides=overrides,
        flags=EVERY_FLAG if entry.kind == "fault" else frozenset(FLAGS[f] for f in entry.flags),
        stale_after=entry.stale_after,
        storm=entry.storm,
        shadow=entry.shadow,
        inhibited_by=frozenset(entry.inhibited_by),
        source=_source(entry, limits),
    )


def meaning(entry: RuleEntry, city: Configuration, limits: Limits) -> str:
    """All that rules of this entry do, as JSON: `meant` makes the same rule of it again."""
    whole = resolved(entry, limits).model_dump_json(by_alias=True, exclude_unset=True)
    place = {"zone": city.zone.key, "country": city.country}
    return json.dumps({"rule": json.loads(whole)} | place, ensure_ascii=False)


def meant(meaning: str, version: str) -> Rule | None:
    """The rule that had this version; None when it was written in words that are no more."""
    try:
        kept = json.loads(meaning)
        entry = RuleEntry.model_validate_json(json.dumps(kept["rule"]))
        zone = ZoneInfo(kept["zone"])
    except (KeyError, ValueError):
        return None
    city = Configuration(sites={}, gateways={}, devices={}, zone=zone, country=kept["country"])
    return replace(rule_of(entry, city, {}), version=version)


def _terms(entry: RuleEntry, configuration: Configuration | None, limits: Limits) -> Terms:
    found = spans(entry, limits)
    levels = Levels(spans=found, clear=clear(entry, found[min(found)]))
    zone, country = _place(configuration)
    return Terms(
        levels=levels,
        hold=entry.hold,
        clear_hold=entry.clear_hold,
        flap_times=entry.flap.times,
        flap_within=entry.flap.within,
        schedule=schedule(entry.when, zone, country) if entry.when else None,
    )


def _place(configuration: Configuration | None) -> tuple[ZoneInfo, str]:
    """Whose clock and holidays rules go by."""
    if configuration is None:
        return UTC_ZONE, ""
    return configuration.zone, configuration.country


def _kind(  # noqa: PLR0911  one for each kind
    entry: RuleEntry, configuration: Configuration | None, limits: Limits
) -> Kind:
    match entry.kind:
        case "anomaly":
            return Anomaly(clock=Clock(*_place(configuration)))
        case "composite":
            operands = entry.of if isinstance(entry.of, list) else []
            over = entry.over or "site"
            by_site = over in WIDE and isinstance(entry.need, int)
            return Composite(of=tuple(operands), over=over, sites=by_site)
        case "count":
            return Count(span=counted_span(entry, limits), **_counted(entry))
        case "fault":
            return Fault(span=FLAGGED, **_counted(entry))
        case "missing":
            return Missing(
                of="gateway" if entry.of == "gateway" else "device", every=entry.every or 0
            )
        case "neighbours":
            return Neighbours()
        case "rate":
            per = MINUTE if entry.per == "minute" else HOUR
            return Rate(per=per, window=entry.window or HOUR)
    return Threshold()


def _counted(entry: RuleEntry) -> dict[str, int]:
    """Among how many readings, or in what time, is counted."""
    return {
        "most": max((entry.times or {}).values(), default=1),
        "of": entry.of if isinstance(entry.of, int) else 0,
        "within": entry.within or 0,
    }


def _source(entry: RuleEntry, limits: Limits) -> str:
    """What stands behind the levels: the standards that they name, and the rule's own words."""
    named = [limits[name] for _, name in named_limits(entry)]
    cited = [f"{limit.source} ({limit.date})" for limit in named]
    return " ".join([*cited, entry.source]).strip()
