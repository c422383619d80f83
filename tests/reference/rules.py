"""Rules for the machine: each key of docs/rules.md somewhere, with levels that its values meet."""

from typing import Any

import yaml

from tests.reference.asked import Entry

POOL: dict[str, Entry] = {
    entry["id"]: entry | {"name": {"en": "N", "th": "น"}}
    for entry in yaml.safe_load("""
- {id: full, kind: threshold, parameter: fill_level, above: {warning: 80, critical: 95}, clear: 60}
- {id: flaps, kind: threshold, parameter: fill_level, above: {info: 70, warning: 80, critical: 95},
   flap: {times: 2, within: 10m}, storm: 1}
- {id: held, kind: threshold, parameter: fill_level, above: {warning: 80, critical: 95}, clear: 60,
   for: 5m, clear_for: 2m, stale_after: 7m, flap: {times: 3, within: 1h}}
- {id: outside, kind: threshold, parameter: pm25, outside: {warning: [60, 90], critical: [10, 95]},
   clear: [70, 81], clear_for: 5m, storm: 2}
- {id: low, kind: threshold, parameter: pm25, below: {info: 70, critical: 10}, clear: 80,
   overrides: {lane: {below: {warning: 60}, clear: 60, for: 1m}}, select: {kinds: [bin]}}
- {id: any-flag, kind: threshold, parameter: pm25, above: {warning: 80},
   flags: [good, suspect, fail], select: {devices: [a, d], sites: [lane, pier, town]}}
- {id: early, kind: threshold, parameter: fill_level, above: {warning: 80, critical: 95}, clear: 60,
   when: {hours: ["07:10-07:20", "07:30-09:00"]}, stale_after: 15m}
- {id: nights, kind: threshold, parameter: pm25, above: {info: 80}, for: 1m, clear_for: 1m,
   when: {hours: "07:05-07:02", days: [sun, tue]}}
- {id: holidays, kind: threshold, parameter: pm25, above: {warning: 80}, shadow: true,
   when: {hours: "23:00-08:00", holidays: except, season: "11-01..02-10"}}
- {id: grows, kind: rate, parameter: fill_level, per: hour, window: 30m, stale_after: 20m,
   above: {warning: 20, critical: 100}, clear: 10, for: 1m}
- {id: falls, kind: rate, parameter: pm25, per: minute, window: 10m, below: {warning: -1}}
- {id: often, kind: count, parameter: fill_level, breach: {above: 80},
   times: {info: 2, warning: 3}, of: 4, clear: 0}
- {id: again, kind: count, parameter: pm25, breach: {outside: [10, 90]}, times: {warning: 2},
   within: 10m, clear_for: 5m, for: 1m}
- {id: flagged, kind: fault, times: {info: 1, warning: 3}, of: 4, select: {kinds: [bin]}}
- {id: flagged-of-late, kind: fault, parameter: pm25, times: {warning: 2}, within: 10m, clear: 0,
   clear_for: 3m}
- {id: silent, kind: missing, above: {info: 2, critical: 4}, clear_for: 1m}
- {id: silent-too, kind: missing, every: 7m, above: {warning: 1.5}, select: {sites: [lane]},
   flap: {times: 2, within: 1h}, storm: 1, when: {hours: "07:30-10:00"}}
- {id: gone, kind: missing, of: gateway, every: 3m, above: {info: 1, warning: 3}, for: 2m}
- {id: gone-at-once, kind: missing, of: gateway, above: {warning: 2}}
- {id: both, kind: composite, of: [full, often], need: all, over: device, severity: critical}
- {id: here, kind: composite, of: [full, held, silent], need: any, flap: {times: 2, within: 30m}}
- {id: around, kind: composite, of: [full, outside, silent], need: 2, over: district, for: 1m,
   clear_for: 3m}
- {id: all-over, kind: composite, of: [flaps, gone, here], need: 2, over: city, storm: 1}
- {id: on-top, kind: composite, of: [both, around, here], need: any, over: city,
   when: {hours: "07:00-07:45"}}
""")
}

EDITS: dict[str, dict[str, Any]] = {
    "held": {"for": "3m"},
    "clears": {"clear_for": "4m"},
    "storms": {"storm": 1},
    "renamed": {"name": {"en": "Other", "th": "อื่น"}},
    "hidden": {"shadow": True},
}


def with_operands(names: list[str]) -> list[Entry]:
    """These rules, and those that they refer to."""
    found: dict[str, Entry] = {}
    asked = list(names)
    while asked:
        name = asked.pop()
        if name not in found:
            found[name] = POOL[name]
            asked += POOL[name]["of"] if POOL[name]["kind"] == "composite" else []
    return [found[name] for name in sorted(found)]


def variants(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The same with one rule edited, as it was, removed (where no other needs it), or added."""
    needed = {one for entry in entries if entry["kind"] == "composite" for one in entry["of"]}
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        name = entry["id"]
        others = [one for one in entries if one["id"] != name]
        for what, edit in EDITS.items():
            found[f"{name} {what}"] = [*others, entry | edit]
        found[f"{name} as before"] = [*others, POOL[name]]
        if name not in needed:
            found[f"{name} removed"] = others
    names = {entry["id"] for entry in entries}
    for name in set(POOL) - names:
        more = [entry for entry in with_operands([name]) if entry["id"] not in names]
        found[f"{name} added"] = [*entries, *more]
    return found
