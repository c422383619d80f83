"""Lists as CSV: streamed a page at a time, safe to open in a spreadsheet.

A text that a spreadsheet would take for a formula gets an apostrophe before it. The first bytes
say that it is UTF-8, since spreadsheets guess otherwise.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from starlette.responses import StreamingResponse

Cell = str | float | None
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_UTF8 = "\ufeff"
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table"}
}


def safe(cell: Cell) -> Cell:
    """A text that no spreadsheet computes; one that has such an apostrophe gets another.

    >>> safe("=1+1"), safe("'=1"), safe("fine"), safe(-1.5)
    ("'=1+1", "''=1", 'fine', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def bare(cell: str) -> str:
    """The text that was made safe.

    >>> bare("'=1+1"), bare("''=1"), bare("'twas")
    ('=1+1', "'=1", "'twas")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def sheet(
    name: str, heading: Sequence[str], pages: Iterable[Iterable[Sequence[Cell]]]
) -> StreamingResponse:
    """The file `name`.csv; `pages` are asked for one after the other while it is sent."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(
        lines(heading, pages), media_type="text/csv; charset=utf-8", headers=disposition
    )


def lines(heading: Sequence[str], pages: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[str]:
    """The file's text, a page at a time."""
    yield _UTF8 + _text([heading])
    for page in pages:
        yield _text(page)


def _text(rows: Iterable[Sequence[Cell]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([safe(cell) for cell in row] for row in rows)
    return buffer.getvalue()
