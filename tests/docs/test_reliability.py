"""The page about reliability names every judge, fault script and sabotage, as they are."""

from judging import Sabotage
from simulators.judge.referee import JUDGES
from simulators.judge.scripts.table import SCRIPTS
from tests.docs.pages import rows, sections

PAGE = "docs/reliability.md"


def test_it_has_a_row_for_each_script_in_its_words() -> None:
    found = rows(sections(PAGE)["Fault scripts"])
    assert list(found) == list(SCRIPTS)
    for name, script in SCRIPTS.items():
        assert script.words in found[name]


def test_it_has_a_row_for_each_sabotage() -> None:
    assert set(rows(sections(PAGE)["Who judges the judge"])) == set(Sabotage)


def test_it_has_a_row_for_each_judge() -> None:
    text = sections(PAGE)["The judge"]
    for name, judge in JUDGES.items():
        assert f"| {name} {judge.__name__} |" in text
