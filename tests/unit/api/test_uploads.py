"""CSV in and out: what a spreadsheet makes of it, and what is wrong with a file."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import ApiError
from api.sheets import Cell, lines
from api.uploads import read

DUE, FREE = ("id", "name"), ("owner",)
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def written(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    return "".join(lines(columns, [rows]))


def cells(content: bytes) -> list[dict[str, str]]:
    return [dict(line.cells) for line in read(content, DUE, FREE)]


@given(st.lists(st.tuples(st.text("ab", min_size=1), CELLS, CELLS), max_size=5))
def test_what_is_written_is_read_again(rows: list[tuple[str, str, str]]) -> None:
    content = written((*DUE, *FREE), rows).encode()
    assert cells(content) == [dict(zip((*DUE, *FREE), row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("=1+1", "'=1+1", id="equals"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("\tx", "'\tx", id="tab"),
        pytest.param("'=1", "''=1", id="guarded already"),
        pytest.param("a=1", "a=1", id="inside"),
        pytest.param("'twas", "'twas", id="an apostrophe alone"),
        pytest.param("ถัง", "ถัง", id="Thai"),
    ],
)
def test_no_cell_is_a_formula(value: str, shown: str) -> None:
    assert written(("name",), [[value]]) == f"\ufeffname\r\n{shown}\r\n"


def test_numbers_are_written_in_full() -> None:
    assert written(("at",), [[-7.8965], [1e-7]]) == "\ufeffat\r\n-7.8965\r\n1e-07\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"id,name\na,b\n", [{"id": "a", "name": "b"}], id="plain"),
        pytest.param(b"\xef\xbb\xbfid,name\r\na,b", [{"id": "a", "name": "b"}], id="from Excel"),
        pytest.param(b"name , id\nb,a\n", [{"id": "a", "name": "b"}], id="another order"),
        pytest.param(
            b"id,name,owner\na,b,\n", [{"id": "a", "name": "b", "owner": ""}], id="empty cell"
        ),
        pytest.param(b"id,name\n", [], id="no lines"),
        pytest.param(b"id,name\n\n,\na,b\n\n", [{"id": "a", "name": "b"}], id="empty lines"),
    ],
)
def test_files_of_several_makers_are_read(content: bytes, expected: list[dict[str, str]]) -> None:
    assert cells(content) == expected


def test_a_line_is_numbered_by_where_it_begins() -> None:
    found = read(b'id,name\na,"two\nlines"\n\nb,c\nd\n', DUE, FREE)
    assert [line.number for line in found] == [2, 5, 6]
    assert [line.problem for line in found] == [
        "",
        "",
        "has 1 cells, line 1 names 2 columns; correct it",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "line 1: has no column id; name the columns", id="empty"),
        pytest.param(b"a,b\n1,2\n", "line 1: has no column id; name the columns", id="no header"),
        pytest.param(b"id;name\na;b\n", "line 1: has no column id; name", id="semicolons"),
        pytest.param(b"id,name,x\n", "line 1: column 3 should be one of id,name,owner", id="new"),
        pytest.param(b"id,name,id\n", "line 1: two columns are called id", id="twice"),
        pytest.param("id,name\na,é".encode("latin-1"), "is not UTF-8; save it", id="Latin 1"),
        pytest.param("id,name".encode("utf-16"), "is not UTF-8; save it", id="UTF-16"),
        pytest.param(b'id,name\na,"b', "line 2: unexpected end of data", id="an open quote"),
        pytest.param(b'id,name\na,"b"c\n', "line 2: ',' expected after '\"'", id="half quoted"),
        pytest.param(b"id,name\na," + b"x" * 200_000, "line 2: field larger", id="a huge cell"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(content: bytes, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(content, DUE, FREE)
    assert refused.value.detail.startswith(f"body: {words}")
