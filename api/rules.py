"""`/v1/rules`: what is watched, what it said before, and changing it while the system runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from alerts import rule_book
from alerts.rule_book import Listed
from api.context import ApiContext, Context, patiently
from api.problems import ApiError
from api.shapes import MOST, Answer, Asked, Id, Names, Page, Time, example
from core.errors import ConfigError, RegistryError
from core.times import iso
from storage import queries, rules
from storage.rules import OwnRule

router = APIRouter(tags=["Rules"])

_TEXT = """- id: bin-tipped
  kind: threshold
  name: {en: Bin tipped over, th: ถังขยะล้ม}
  parameter: tilt
  above: {warning: 45}"""
_RULE = {
    "id": "bin-tipped",
    "origin": "file",
    "where": "rules/bins.yaml:58",
    "kind": "threshold",
    "name": {"en": "Bin tipped over", "th": "ถังขยะล้ม"},
    "version": "4f1c22a01b9e",
    "enabled": True,
    "shadow": False,
    "problem": "",
    "text": _TEXT,
}
_ASKED = {
    "rule": {
        "id": "noise-near-school",
        "kind": "threshold",
        "name": {"en": "Noise near the school", "th": "เสียงดังใกล้โรงเรียน"},
        "parameter": "noise",
        "above": {"info": 75},
        "for": "10m",
    }
}
_VERSION = {
    "version": "4f1c22a01b9e",
    "where": "rules/bins.yaml",
    "since": "2026-11-22T01:00:00Z",
    "by": "files",
    "text": _TEXT,
}
_CHANGES = {"changed": [{"rule": "bin-tipped", "before": "4f1c22a01b9e", "now": "a83c5f77d210"}]}


class RuleAnswer(Answer):
    """A rule as it is written."""

    model_config = example(_RULE)

    id: str
    origin: Literal["api", "file"]
    where: str = Field(description="File and line; `api` where no file has it.")
    kind: str | None = Field(description="Null where it is not in force.")
    name: Names | None
    version: str | None = Field(description="Null where it is not in force.")
    enabled: bool
    shadow: bool
    problem: str = Field(description="Why it is not in force although it is enabled.")
    text: str = Field(description="YAML of a file, or JSON of the API.")


class Rules(Page[RuleAnswer]):
    """All rules."""


class Version(Answer):
    """What the rule said since a moment."""

    model_config = example(_VERSION)

    version: str | None = Field(description="Null where it was not in force from then on.")
    where: str
    since: Time
    by: str = Field(description="Id of a key; `files` at a start, `signal` by SIGHUP.")
    text: str


class RuleStory(RuleAnswer):
    """A rule with its versions, the last thousand at the most, the newest first."""

    model_config = example(_RULE | {"versions": [_VERSION]})

    versions: list[Version]


class AskedRule(Asked):
    """A rule with the keys that files have."""

    model_config = Asked.model_config | example(_ASKED)

    rule: dict[str, Any]


class RuleChange(Answer):
    """A rule that is another now; null where it was, or is, not in force."""

    model_config = example(_CHANGES["changed"][0])

    rule: str
    before: str | None
    now: str | None


class RuleChanges(Answer):
    """What changed, by version."""

    model_config = example(_CHANGES)

    changed: list[RuleChange]


@router.get("/rules")
def list_rules(context: Context) -> Rules:
    """All rules, those of files first."""
    listed = context.book().listed.values()
    return Rules(items=[RuleAnswer(**_rule(one)) for one in listed], next=None)


@router.post("/rules/reload")
async def reload_rules(context: Context, request: Request) -> RuleChanges:
    """Read the files of rules again, and their standards. Alerts of rules that are others now end;
    all others go on. When a file has a mistake nothing changes.
    """
    try:
        changed = await patiently(context, context.reload_rules(request.state.caller.key))
    except ConfigError as error:
        raise ApiError("conflict", f"Nothing has changed. {error}") from error
    return _changes(changed)


@router.get("/rules/{rule}")
def get_rule(context: Context, rule: Id) -> RuleStory:
    """One rule and what it said before, also when it is no more."""
    with queries.snapshot(context.readers) as connection:
        found = rules.versions(connection, rule, limit=MOST)
    listed = context.book().listed.get(rule)
    if listed is None and not found:
        raise _no_rule()
    if listed is None:
        last = found[0]
        listed = Listed(id=rule, origin=last.origin, text=last.text, rule=None, enabled=False)
    versions = [
        Version(
            version=row.version or None,
            where=row.origin,
            since=iso(row.since),
            by=row.by,
            text=row.text,
        )
        for row in found
    ]
    return RuleStory(**_rule(listed), versions=versions)


@router.post("/rules", status_code=201)
async def create_rule(context: Context, asked: AskedRule, request: Request) -> RuleAnswer:
    """Make a rule; with `shadow: true` it is recorded and tells nobody."""
    own = _own(asked.rule)
    if own.id in context.book().listed:
        where = context.book().listed[own.id].origin
        words = f"rule.id: there is a rule of this name ({where}); choose another."
        raise ApiError("conflict", words, field="rule.id")
    return await _keep(context, own, request, "rule-create")


@router.put("/rules/{rule}")
async def edit_rule(context: Context, rule: Id, asked: AskedRule, request: Request) -> RuleAnswer:
    """Write a rule of the API anew; its open alerts end with `rule-changed`."""
    listed = _of_api(context, rule)
    own = _own(asked.rule, enabled=listed.enabled)
    if own.id != rule:
        raise ApiError("bad-parameter", f"rule.id: should be {rule}.", field="rule.id")
    return await _keep(context, own, request, "rule-edit")


@router.post("/rules/{rule}/disable")
async def disable_rule(context: Context, rule: Id, request: Request) -> RuleAnswer:
    """Let a rule of the API rest; its open alerts end with `rule-removed`."""
    own = OwnRule(rule, _of_api(context, rule).text, enabled=False)
    return await _keep(context, own, request, "rule-disable")


@router.post("/rules/{rule}/enable")
async def enable_rule(context: Context, rule: Id, request: Request) -> RuleAnswer:
    """Put a rule of the API in force again."""
    own = OwnRule(rule, _of_api(context, rule).text, enabled=True)
    return await _keep(context, own, request, "rule-enable")


@router.delete("/rules/{rule}", status_code=204)
async def delete_rule(context: Context, rule: Id, request: Request) -> None:
    """A rule of the API is no more; its open alerts end with `rule-removed`, its versions stay."""
    _of_api(context, rule)
    with _refusing():
        await patiently(context, context.remove_rule(rule, request.state.caller.key))


def _own(body: Mapping[str, Any], *, enabled: bool = True) -> OwnRule:
    with _refusing():
        return rule_book.own_rule(body, enabled=enabled)


def _of_api(context: ApiContext, rule: str) -> Listed:
    listed = context.book().listed.get(rule)
    if listed is None:
        raise _no_rule()
    if listed.origin != rule_book.API:
        raise ApiError("conflict", f"This rule is in {listed.origin}; edit the file, then reload.")
    return listed


async def _keep(context: ApiContext, own: OwnRule, request: Request, action: str) -> RuleAnswer:
    with _refusing():
        await patiently(context, context.keep_rule(own, request.state.caller.key, action))
    return RuleAnswer(**_rule(context.book().listed[own.id]))


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a rule, or with the files, as an answer."""
    try:
        yield
    except RegistryError as error:
        raise ApiError(error.kind, str(error), field=error.field) from error
    except ConfigError as error:
        raise ApiError("conflict", f"The files have mistakes; mend them. {error}") from error


def _rule(one: Listed) -> dict[str, Any]:
    rule = one.rule
    return {
        "id": one.id,
        "origin": "api" if one.origin == rule_book.API else "file",
        "where": one.origin,
        "kind": rule.kind_name if rule else None,
        "name": Names(**rule.name) if rule else None,
        "version": rule.version if rule else None,
        "enabled": one.enabled,
        "shadow": bool(rule and rule.shadow),
        "problem": one.problem,
        "text": one.text,
    }


def _changes(changed: Mapping[str, tuple[str, str]]) -> RuleChanges:
    return RuleChanges(
        changed=[
            RuleChange(rule=name, before=before or None, now=now or None)
            for name, (before, now) in sorted(changed.items())
        ]
    )


def _no_rule() -> ApiError:
    return ApiError("not-found", "There is no rule of this name; /v1/rules lists them.")
