"""Rules that were made by the API, and what each rule said from when on."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from storage import schema

_V = schema.rule_versions.c


class OwnRule(NamedTuple):
    """A rule of the API: its keys as JSON, and whether it is meant to be in force."""

    id: str
    body: str
    enabled: bool


class Said(NamedTuple):
    """What a rule says: its version, empty where it is not in force, its text and where that is
    written, and its meaning, which is the same whatever its text refers to says later.
    """

    version: str
    text: str
    origin: str
    meaning: str = ""


class VersionRow(NamedTuple):
    """What a rule said since a moment (µs), and the id of the key that brought it about."""

    version: str
    text: str
    origin: str
    since: int
    by: str


def own_rules(connection: Connection) -> list[OwnRule]:
    """Rules of the API, in order of their ids."""
    rows = connection.execute(select(schema.own_rules).order_by(schema.own_rules.c.id))
    return [OwnRule(*row) for row in rows]


def keep_own_rule(connection: Connection, rule: OwnRule) -> None:
    """Make a rule of the API so."""
    statement = upsert(schema.own_rules).values(rule._asdict())
    now = {"body": rule.body, "enabled": rule.enabled}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=now))


def remove_own_rule(connection: Connection, rule: str) -> None:
    """A rule of the API is no more; what it said stays in its versions."""
    connection.execute(delete(schema.own_rules).where(schema.own_rules.c.id == rule))


def keep_versions(
    connection: Connection, rules: Mapping[str, Said], *, by: str, at: int
) -> dict[str, tuple[str, str]]:
    """Keep what is new of these rules, which are all there are; by rule its version before and
    now, where that is another.
    """
    newest = select(func.max(_V.id)).group_by(_V.rule)
    rows = connection.execute(
        select(_V.rule, _V.version, _V.text, _V.origin, _V.meaning).where(_V.id.in_(newest))
    )
    before = {row.rule: Said(*row[1:]) for row in rows}
    gone = {name: said._replace(version="", meaning="") for name, said in before.items()}
    nothing = Said("", "", "")
    changed = {
        name: said for name, said in (gone | dict(rules)).items() if said != before.get(name)
    }
    for name, said in changed.items():
        row = {"rule": name, "since": at, "by": by} | said._asdict()
        connection.execute(insert(schema.rule_versions), row)
    versions = {n: (before.get(n, nothing).version, said.version) for n, said in changed.items()}
    return {name: pair for name, pair in versions.items() if pair[0] != pair[1]}


def in_force(connection: Connection) -> dict[str, tuple[str, str]]:
    """Version and meaning of each rule that is in force."""
    newest = select(func.max(_V.id)).group_by(_V.rule)
    statement = select(_V.rule, _V.version, _V.meaning).where(_V.id.in_(newest), _V.version != "")
    return {row.rule: (row.version, row.meaning) for row in connection.execute(statement)}


def versions(connection: Connection, rule: str, *, limit: int) -> list[VersionRow]:
    """What a rule said, the newest first."""
    columns = (_V.version, _V.text, _V.origin, _V.since, _V.by)
    statement = select(*columns).where(_V.rule == rule).order_by(_V.id.desc()).limit(limit)
    return [VersionRow(*row) for row in connection.execute(statement)]
