"""What every command of `andaman` shares: settings, one request, errors as lines."""

import asyncio
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich import box
from rich.markup import escape
from rich.table import Table

import app as composition
from cli_told import told
from core.errors import ConfigError, StartError
from core.settings import SECRETS, Settings

__all__ = ["Data", "ask", "bytes_of", "settings_of", "shown", "table", "told", "writing"]

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")

Data = Annotated[Path | None, typer.Option("--data", help="Data folder; else ANDAMAN_DATA_DIR.")]


def bytes_of(file: Path) -> bytes:
    """What the file holds.

    Raises:
        StartError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(f"{file}: cannot be read ({error.strerror})") from error


def ask(method: str, path: str, data: Path | None, body: Any = None) -> Any:
    """One request to the system that runs on the data folder, or to one made for the moment.

    Raises:
        StartError: what the API said when it refused.
    """
    answer = asyncio.run(composition.ask(settings_of(data), method, path, body))
    if answer.is_error:
        raise StartError(answer.json().get("detail", answer.reason_phrase))
    if answer.headers.get("content-type", "").startswith("text/"):
        return answer.text
    return answer.json() if answer.content else None


def pages(path: str, data: Path | None) -> list[Any]:
    """Every item of a list, whatever its length.

    Raises:
        StartError: what the API said when it refused.
    """
    found: list[Any] = []
    page = ask("GET", path, data)
    while page["next"] is not None:
        found += page["items"]
        more = "&" if "?" in path else "?"
        page = ask("GET", f"{path}{more}cursor={page['next']}", data)
    found += page["items"]
    return found


def table(*columns: str) -> Table:
    """A table that loses nothing on a narrow terminal: words that do not fit go on below, and ids
    stay whole, so that they can be copied.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column == "id")
    return made


def shown(cell: object) -> str:
    """A cell of a table: nothing for None, and a moment without its `T`, so that it may be broken.

    >>> shown("since 2026-11-22T21:37:31.251000Z"), shown(None), shown(0)
    ('since 2026-11-22 21:37:31Z', '', '0')
    """
    text = "" if cell is None else escape(str(cell))
    return _MOMENT.sub(r"\1 \2Z", text)


def settings_of(data: Path | None) -> Settings:
    """Settings from the environment, with the folder of the command line.

    Raises:
        ConfigError: a setting that cannot be right, by its name.
    """
    if strangers := list(_strangers(os.environ)):
        raise ConfigError(strangers)
    try:
        return Settings() if data is None else Settings(data_dir=data)
    except ValidationError as error:
        raise ConfigError([_problem(e) for e in error.errors()]) from error


def _strangers(names: Iterable[str]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none: what it meant is missed."""
    known = [name.upper() for name in Settings.model_fields]
    known += [f"{name.upper()}_FILE" for name in SECRETS]
    for name in sorted(names):
        word = name.removeprefix("ANDAMAN_")
        if word not in (name, *known):
            close = get_close_matches(word, known, 1)
            advice = f"write ANDAMAN_{close[0]}" if close else "remove it"
            yield f"{name} is no setting; {advice}"


def _problem(error: Mapping[str, Any]) -> str:
    """One line on what pydantic found, without the value, which may be a secret."""
    return ": ".join([*(f"ANDAMAN_{str(name).upper()}" for name in error["loc"]), error["msg"]])


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the refusal of a file into a line for whoever named it."""
    try:
        yield
    except OSError as error:
        raise StartError(f"{path}: cannot be written ({error.strerror})") from error
