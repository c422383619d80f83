"""`/v1/line`: how the month of LINE stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.notices import LineMonth
from storage import line_quota
from tests.service import NOW, Service, service


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as made:
        yield made


def metrics(served: Service) -> list[str]:
    text = served.http.get("/metrics", headers=served.headers()).text
    return [line for line in text.splitlines() if line.startswith("andaman_line_messages")]


def test_before_line_was_asked_nothing_is_known_and_all_is_sent(served: Service) -> None:
    month = served.get("/v1/line")
    assert (month["limit"], month["used"], month["asked_at"]) == (None, None, None)
    assert set(month["courses"].values()) == {"send"}
    assert metrics(served) == []


def test_it_tells_how_the_month_stands_and_what_becomes_of_each_severity(served: Service) -> None:
    with served.ledger.transaction() as connection:
        line_quota.keep(connection, LineMonth(limit=300, used=200, at=NOW))
    month = served.get("/v1/line")
    assert (month["limit"], month["used"], month["left"]) == (300, 200, 100)
    assert month["forecast"] == 285
    assert month["courses"] == {"info": "email", "warning": "digest", "critical": "send"}
    assert metrics(served) == [
        'andaman_line_messages{what="limit"} 300.0',
        'andaman_line_messages{what="used"} 200.0',
        'andaman_line_messages{what="forecast"} 285.0',
    ]
