"""The dashboards in the repository are those that the configuration makes."""

from cli_dashboards import dashboards_of
from dashboards.build import FOLDER, stale, text_of
from tests.docs.pages import ROOT


def test_the_dashboards_are_fresh() -> None:
    texts = {name: text_of(one) for name, one in dashboards_of(ROOT / "config").items()}
    assert stale(FOLDER, texts) == [], "run andaman dashboards build"
