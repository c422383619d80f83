"""All rules of a city: those of its files, and those that were made by the API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from alerts import rule_files, standards
from alerts.rule_checks import mistakes
from alerts.rule_entries import RuleEntry, RulesFile
from alerts.rule_meaning import Limits
from alerts.rules import Rule
from core.configuration import Configuration, Located
from core.errors import ConfigError, RegistryError
from storage.rules import OwnRule, Said

API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A rule as it is written: its text, YAML of a file or JSON of the API, and where that is.
    `rule` is None, and without `meaning`, where it is not in force: disabled, or for a `problem`.
    """

    id: str
    origin: str
    text: str
    rule: Rule | None
    meaning: str = ""
    enabled: bool = True
    problem: str = ""

    @property
    def said(self) -> Said:
        """As the ledger keeps it; in which line of its file it is tells nothing of it."""
        version = self.rule.version if self.rule else ""
        origin = self.origin.partition(":")[0]
        return Said(version=version, text=self.text, origin=origin, meaning=self.meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Every rule by its id, and the limits that levels may name. `doubled` are rules of the API
    whose ids stand in files, each with what is wrong and the line.
    """

    listed: Mapping[str, Listed]
    limits: Limits
    doubled: Mapping[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that are in force."""
        return tuple(one.rule for one in self.listed.values() if one.rule is not None)


def make(folder: Path, own: Sequence[OwnRule], city: Configuration) -> Book:
    """The rules of the city in `folder` and its `own` of the API, of which those with mistakes are
    not in force.

    Raises:
        ConfigError: the files have mistakes.
    """
    files, limits = rule_files.files_at(folder / rule_files.FOLDER), standards.load(folder)
    found = [mistake.line for mistake in mistakes(files, city, limits)]
    if found:
        raise ConfigError(found)
    listed = {one.id: one for file in files for one in _of_file(file, folder, city, limits)}
    doubled = {one.id: _doubled(files, one.id) for one in own if one.id in listed}
    problems: dict[str, str] = {}
    read: dict[str, Located[RulesFile]] = {}
    for one in own:
        try:
            read[one.id] = _located(one.body)
        except RegistryError as error:
            problems[one.id] = str(error)
    wanted = {one.id for one in own if one.enabled}
    while True:  # without one that is wrong, another one may be wrong
        rest = [file for name, file in read.items() if name in wanted - problems.keys()]
        wrong = list(mistakes([*files, *rest], city, limits))
        if not wrong:
            break
        for mistake in wrong:
            problems.setdefault(mistake.file.content.rules[0].id, mistake.words)
    for one in own:
        if one.id in listed:
            continue  # the file wins
        valid = one.id in wanted and one.id not in problems
        entry = read[one.id].content.rules[0] if one.id in read else None
        in_force = entry if valid else None
        listed[one.id] = Listed(
            id=one.id,
            origin=API,
            text=one.body,
            rule=rule_files.rule_of(in_force, city, limits) if in_force else None,
            meaning=rule_files.meaning(in_force, city, limits) if in_force else "",
            enabled=one.enabled,
            problem=problems.get(one.id, ""),
        )
    return Book(listed=listed, limits=limits, doubled=doubled)


def _doubled(files: Sequence[Located[RulesFile]], rule: str) -> str:
    words = f"the API made a rule {rule} before; delete that one, or give this another id"
    found = ((file, n) for file in files for n, e in enumerate(file.content.rules) if e.id == rule)
    return next(file.problem(("rules", n, "id"), words) for file, n in found)


def check(book: Book, rule: str) -> None:
    """A rule of the API that was just written is right.

    Raises:
        RegistryError: with the key that is wrong, and what to write.
    """
    problem = book.listed[rule].problem
    if problem:
        raise RegistryError("bad-parameter", "rule", problem)


def trial(
    bodies: Sequence[Mapping[str, object]], city: Configuration, limits: Limits
) -> tuple[Rule, ...]:
    """Rules that stand for themselves.

    Raises:
        RegistryError: with the key that is wrong, and what to write.
    """
    files = [_located(json.dumps(body)) for body in bodies]
    for mistake in mistakes(files, city, limits):
        name = mistake.file.content.rules[0].id
        raise RegistryError("bad-parameter", "rules", f"{name}: {mistake.words}")
    return tuple(rule_files.rule_of(file.content.rules[0], city, limits) for file in files)


def own_rule(body: Mapping[str, object], *, enabled: bool = True) -> OwnRule:
    """A rule of the API, whose form is right.

    Raises:
        RegistryError: with the key that is wrong, and what to write.
    """
    text = json.dumps(body, ensure_ascii=False)
    return OwnRule(_located(text).content.rules[0].id, text, enabled)


def _located(body: str) -> Located[RulesFile]:
    try:
        entry = RuleEntry.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["rule", *map(str, first["loc"])])
        raise RegistryError("bad-parameter", field, first["msg"]) from error
    return Located(Path(API), RulesFile(rules=[entry]), {})


def _of_file(
    file: Located[RulesFile], folder: Path, city: Configuration, limits: Limits
) -> list[Listed]:
    lines = file.path.read_text(encoding="utf-8").splitlines()
    starts = [file.lines[("rules", n)] - 1 for n in range(len(file.content.rules))]
    ends = [*starts[1:], len(lines)][: len(starts)]
    found = []
    for entry, start, end in zip(file.content.rules, starts, ends, strict=True):
        found.append(
            Listed(
                id=entry.id,
                origin=f"{file.path.relative_to(folder)}:{start + 1}",
                text="\n".join(lines[start:end]).strip(),
                rule=rule_files.rule_of(entry, city, limits),
                meaning=rule_files.meaning(entry, city, limits),
            )
        )
    return found
