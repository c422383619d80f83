"""Every example of the how-to page is true: configured as it says, it becomes what it shows."""

import re
from pathlib import Path

import pytest
import yaml

import app
from core.catalogue import CATALOGUE
from core.messages import Message
from core.times import iso
from ingest.dialects.table import DIALECTS
from ingest.gather import gather
from ingest.registry import Registry
from tests.docs.pages import ROOT, blocks, sections, text_of

PAGE = "docs/how-to/connect-a-gateway.md"
RECEIVED_AT = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z, as the page says
HEADER = "| device | parameter | value | unit | measured at |\n|---|---|---|---|---|\n"


def city(folder: Path, dialect: str) -> app.City:
    """The city that ships, with the section's sources and devices in place of its own."""
    sources, devices = blocks(sections(PAGE)[f"`{dialect}`"], "yaml")
    theirs = yaml.safe_load(text_of(ROOT / "config/devices.yaml"))
    theirs["devices"] = yaml.safe_load(devices)["devices"]
    for name in ("sites.yaml", "profiles", "standards"):
        (folder / name).symlink_to(ROOT / "config" / name)
    (folder / "rules").mkdir()
    (folder / "sources.yaml").write_text(sources, encoding="utf-8")
    (folder / "devices.yaml").write_text(yaml.safe_dump(theirs), encoding="utf-8")
    return app.read_configuration(folder)


def message(dialect: str) -> Message:
    words = sections(PAGE)[f"`{dialect}`"]
    (topic,) = re.findall(r"^A message.* (?:on|under) `([^`]+)`:$", words, re.MULTILINE)
    (body,) = [*blocks(words, "json"), *blocks(words, "text")]
    binary = dialect == "milesight-nbiot"
    payload = bytes.fromhex(body) if binary else body.encode()
    return Message(topic.encode(), payload, RECEIVED_AT, qos=1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_example_becomes_what_the_page_shows(tmp_path: Path, dialect: str) -> None:
    made = city(tmp_path, dialect)
    registry = Registry(made.registry, made.profiles, [])
    found = gather([message(dialect)], registry, made.sources)
    assert found.refusals.each == []
    shown = HEADER
    for index, at, value in zip(
        found.rows.series, found.rows.measured_at, found.rows.value, strict=True
    ):
        series = registry.series[index]
        unit = CATALOGUE[series.parameter].unit
        shown += (
            f"| `{series.device}` | `{series.parameter}` | {value:.10g} | `{unit}` | {iso(at)} |\n"
        )
    words = sections(PAGE)[f"`{dialect}`"]
    assert f"It becomes\n\n{shown}" in words, f"{PAGE}, {dialect}, should have:\n{shown}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_topic_of_an_example_is_one_of_its_source(tmp_path: Path, dialect: str) -> None:
    source, gateway = city(tmp_path, dialect).sources.of(message(dialect).topic)
    assert source.dialect == dialect
    assert gateway.startswith("gw-")
