"""CSV that is sent to us: UTF-8 with or without a mark, the first line names the columns. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.problems import bad_parameter
from api.sheets import bare


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the number of its first line in the file, and its cells by column; `problem` says
    what is wrong with its form.
    """

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def read(content: bytes, due: Sequence[str], free: Sequence[str]) -> list[Line]:
    """The records; columns that are `due` are there, those that are `free` may be. Empty lines are
    passed over.

    Raises:
        ApiError: it is no such file at all.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise bad_parameter("body", "is not UTF-8; save it as CSV UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, due, free)
        return list(_lines(reader, header))
    except csv.Error as error:
        raise bad_parameter("body", f"line {reader.line_num}: {error}; correct it") from None


def _check_header(header: Sequence[str], due: Sequence[str], free: Sequence[str]) -> None:
    named = ",".join((*due, *free))
    missing = [name for name in due if name not in header]
    if missing:
        words = f"line 1: has no column {missing[0]}; name the columns there: {named}"
        raise bad_parameter("body", words)
    for position, name in enumerate(header):
        if name not in {*due, *free}:
            raise bad_parameter("body", f"line 1: column {position + 1} should be one of {named}")
        if name in header[:position]:
            raise bad_parameter("body", f"line 1: two columns are called {name}; rename one")


def _lines(reader: Any, header: Sequence[str]) -> Iterator[Line]:
    first = reader.line_num + 1
    for row in reader:
        if any(row):
            cells = {name: bare(cell) for name, cell in zip(header, row, strict=False)}
            problem = f"has {len(row)} cells, line 1 names {len(header)} columns; correct it"
            yield Line(first, cells, "" if len(row) == len(header) else problem)
        first = reader.line_num + 1
