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


class Step(Strict):
    """One band of an index: up to and with a value, or beyond all others."""

    up_to: float | None = None
    name: Name


class Index(Strict):
    """How an index names the values of one parameter, lowest first; the rest as in `Limit`."""

    id: Id
    parameter: str
    title: Name
    source: str
    date: str = Field(pattern=r"^\d{4}(-\d{2}-\d{2})?$")
    verified: bool
    steps: list[Step] = Field(min_length=2)


class StandardsFile(Strict):
    """One file of `config/standards/`."""

    limits: list[Limit]
    indices: list[Index] = Field(default_factory=list)


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


def indices(folder: Path) -> Mapping[str, Index]:
    """Every index of `folder`/standards/*.yaml by id.

    Raises:
        ConfigError: a file that cannot be read.
    """
    files = [read(path, StandardsFile) for path in sorted((folder / "standards").glob("*.yaml"))]
    return {index.id: index for file in files for index in file.content.indices}


def _problems(file: Located[StandardsFile], known: Mapping[str, Limit]) -> Iterable[str]:
    seen = set(known)
    for number, limit in enumerate(file.content.limits):
        if limit.id in seen:
            yield file.problem(("limits", number, "id"), f"two limits are called {limit.id}")
        if limit.parameter not in CATALOGUE:
            text = f"parameter {limit.parameter} is not in the catalogue"
            yield file.problem(("limits", number, "parameter"), text)
        seen.add(limit.id)
    for number, index in enumerate(file.content.indices):
        place = ("indices", number)
        if index.parameter not in CATALOGUE:
            text = f"parameter {index.parameter} is not in the catalogue"
            yield file.problem((*place, "parameter"), text)
        *lower, last = [step.up_to for step in index.steps]
        ends = [end for end in lower if end is not None]
        if last is not None or len(ends) < len(lower) or ends != sorted(set(ends)):
            text = "every step but the last has an up_to above the one before"
            yield file.problem((*place, "steps"), text)
