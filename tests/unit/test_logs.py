"""The log tells what happened, in either form, and tells no secret."""

import json
import logging
import sys

import pytest

from logs import Form, JsonLines, Words

SECRET = "andaman_abcd1234_" + "x" * 43
FORMS: dict[Form, logging.Formatter] = {"text": Words(), "json": JsonLines()}
each_form = pytest.mark.parametrize("form", FORMS)


def record(words: str, *args: object, error: Exception | None = None) -> logging.LogRecord:
    caught = None
    if error is not None:
        try:
            raise error
        except Exception:  # noqa: BLE001 - whatever it is
            caught = sys.exc_info()
    return logging.LogRecord("ingest.mqtt", logging.WARNING, __file__, 1, words, args, caught)


@each_form
def test_it_is_one_line_that_says_who_what_and_how_bad(form: Form) -> None:
    line = FORMS[form].format(record("%d messages wait", 5))
    assert "\n" not in line
    for words in ("WARNING", "ingest.mqtt", "5 messages wait"):
        assert words in line


@each_form
def test_it_tells_no_secret_and_no_address_also_not_in_a_traceback(form: Form) -> None:
    line = FORMS[form].format(
        record(f"key {SECRET}", error=ValueError(f"Bearer {SECRET} of somchai@example.org"))
    )
    assert "x" * 10 not in line
    assert "somchai" not in line
    assert "ValueError" in line


def test_json_is_an_object_with_these_names() -> None:
    line = FORMS["json"].format(record("น้ำทะเลขุ่น\nสองบรรทัด", error=ValueError("no")))
    found = json.loads(line)
    assert list(found) == ["time", "level", "logger", "message", "error"]
    assert found["message"] == "น้ำทะเลขุ่น\nสองบรรทัด"
    assert found["time"].endswith("Z")
    assert "น้ำทะเล" in line
