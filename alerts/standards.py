"""Limits of law and regulation, from `config/standards/`: each with its source and date.

A number that somebody has enacted is written there once; rules name it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from core.catalogue import CATALOGUE
from core.configuration import Id, Located, Name, Strict, read
from core.errors import ConfigError


class Limit(Strict):
    """One number of one standard, in the catalogue's unit of its parameter.

    `date` is the day, or only the year, since when it is in force; `verified` says that the number
    was compared with the text of the notice itself.
    """

    id: Id
    parameter: str
    value: float
    title: Name
    source: str
    date: str = Field(pattern=r"^\d{4}(-\d{2}-\d{2})?$")
    verified: bool


class StandardsFile(Strict):
    """One file of `config/standards/`."""

    limits: list[Limit]


def load(folder: Path) -> Mapping[str, Limit]:
    """Every limit of `folder`/standards/*.yaml by id.

    Raises:
        ConfigError: with every mistake, its file and line.
    """
    limits: dict[str, Limit] = {}
    problems: list[str] = []
    for path in sorted((folder / "standards").glob("*.yaml")):
        try:
            file = read(path, StandardsFile)
        except ConfigError as error:
            problems += error.problems
            continue
        problems += _problems(file, limits)
        limits |= {limit.id: limit for limit in file.content.limits}
    if problems:
        raise ConfigError(problems)
    return limits


def _problems(file: Located[StandardsFile], known: Mapping[str, Limit]) -> Iterable[str]:
    seen = set(known)
    for number, limit in enumerate(file.content.limits):
        if limit.id in seen:
            yield file.problem(("limits", number, "id"), f"two limits are called {limit.id}")
        if limit.parameter not in CATALOGUE:
            text = f"parameter {limit.parameter} is not in the catalogue"
            yield file.problem(("limits", number, "parameter"), text)
        seen.add(limit.id)
