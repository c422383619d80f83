"""Each name that a user can meet has its place in the reference, and no place is left over."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, SecretStr, TypeAdapter

from alerts import standards
from alerts.escalation import EscalationFile, LadderEntry, LevelEntry
from alerts.maintenance import MaintenanceFile, WindowEntry
from alerts.matchers import LABELS
from alerts.routing import (
    AddressEntry,
    NotifyFile,
    ReceiverEntry,
    RouteEntry,
    TimeIntervalEntry,
    WebhookEntry,
)
from alerts.rule_entries import RuleEntry, RulesFile, SelectEntry
from alerts.rule_files import load_at
from alerts.rules import RULE_KINDS
from alerts.standards import Index, Limit, StandardsFile, Step
from api.auth import ROUTES
from api.metrics import settle_seconds
from api.problems import KINDS
from core import configuration
from core.access import Role
from core.alerts import Reason, Severity
from core.catalogue import CATALOGUE, Parameter
from core.configuration import AutoApproveEntry, DeviceEntry, DevicesFile, GatewayEntry, SiteEntry
from core.messages import Refusal
from core.overrides import ClimateEntry, LimitsEntry, SitesWithQuality
from core.readings import Flag
from core.settings import Settings
from core.subscribers import CONSENT_TEXT
from ingest import profiles
from ingest.codecs.table import CODECS
from ingest.dialects.native import Envelope
from ingest.dialects.table import DIALECTS
from ingest.profiles import ChannelEntry, ProfileEntry, ProfilesFile
from ingest.quality.table import QUALITY_TESTS
from ingest.sources import SourceEntry, SourcesFile
from simulators.events import EVENTS, EventKind
from simulators.faults import FAULTS, FaultKind
from simulators.scenario_files import SHIPPED, EventEntry, FaultEntry, ScenarioFile
from simulators.scenario_files import load as load_scenario
from telling import told_seconds
from tests.docs.pages import ROOT, blocks, names_below, rows, sections, text_of
from tests.service import Service, service

HOW_TO = "docs/how-to/connect-a-gateway.md"
LIMITS = standards.load(ROOT / "config")
PROFILES = profiles.load(ROOT / "config")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("ledger")) as made:
        yield made


def names_of(page: str) -> set[str]:
    """The names that have a heading of their own on a page."""
    return set().union(*(names_below(page, heading) for heading in sections(page)))


# --- settings ---


def test_it_has_a_heading_for_each_setting_and_no_other() -> None:
    assert names_of("docs/settings.md") == set(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_it_tells_variable_and_default_of_each_setting(name: str) -> None:
    default = Settings.model_fields[name].default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, Path):
        default = default.name
    shown = "empty" if default == "" else f"`{default}`"
    words = sections("docs/settings.md")[f"`{name}`"]
    assert words.strip().startswith(f"`ANDAMAN_{name.upper()}`, default {shown}")


# --- reasons ---


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        pytest.param("Why an item was quarantined", Refusal, id="refusals"),
        pytest.param("Why an alert changed", Reason, id="transitions"),
    ],
)
def test_it_says_what_to_do_about_each_reason_and_no_other(heading: str, names: Any) -> None:
    found = rows(sections("docs/reasons.md")[heading])
    assert set(found) == {str(name) for name in names}
    assert [row for row in found.values() if not row.endswith(". |")] == []


# --- metrics ---


def test_it_has_a_heading_for_each_metric_and_no_other(served: Service) -> None:
    app: Any = served.with_context(collectors=(settle_seconds(), told_seconds())).app
    families = app.state.metrics.collect()
    exposed = {f.name + ("_total" if f.type == "counter" else "") for f in families}
    documented = names_of("docs/metrics.md")
    assert exposed <= documented
    # Of the process only Linux tells.
    assert {name for name in documented - exposed if "_process_" not in name} == set()


# --- API ---


def test_it_has_a_heading_for_each_address_and_no_other() -> None:
    assert names_of("docs/api.md") == set(ROUTES)


def test_it_has_a_row_for_each_problem_and_each_role() -> None:
    found = rows(text_of(ROOT / "docs/api.md"))
    assert {f"| {int(status)} |" in found[kind] for kind, (status, _) in KINDS.items()} == {True}
    assert found.keys() == KINDS.keys() | set(Role)


def test_it_names_each_query_parameter_of_each_address(served: Service) -> None:
    described = sections("docs/api.md")
    missing = [
        (path, parameter["name"])
        for path, operations in served.http.get("/openapi.json").json()["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", [])
        if f"`{parameter['name']}`" not in described[f"`{method.upper()} {path}`"]
        and parameter["in"] == "query"
    ]
    assert missing == []


def test_its_examples_are_answers_that_the_api_could_give(served: Service) -> None:
    described, silent = sections("docs/api.md"), list[str]()
    app: Any = served.http.app
    for route in iter_route_contexts(app.routes):
        answer: Any = inspect.signature(route.endpoint).return_annotation if route.endpoint else 0
        for method in (route.methods or set()) - {"HEAD"}:
            examples = blocks(described[f"`{method} {route.path}`"], "json")
            for example in examples:
                TypeAdapter(answer).validate_json(example)
            if isinstance(answer, type) and issubclass(answer, BaseModel) and not examples:
                silent.append(f"{method} {route.path}")
    assert silent == []


# --- catalogue, rules, quality, dialects ---


def row_of(p: Parameter) -> str:
    (low, high), (least, most) = p.physical, p.usual
    cells = (f"`{p.key}`", p.label["en"], p.label["th"], f"`{p.unit}`")
    return f"| {' | '.join(cells)} | {low:g} to {high:g} | {least:g} to {most:g} |"


def test_it_has_the_row_of_each_parameter_and_no_other() -> None:
    found = rows(text_of(ROOT / "docs/parameters.md"))
    expected = {key: row_of(parameter) for key, parameter in CATALOGUE.items()}
    wrong = [row for key, row in expected.items() if found.get(key) != row]
    assert not wrong, "docs/parameters.md should have:\n" + "\n".join(wrong)
    assert found.keys() == expected.keys()


def test_it_has_a_heading_for_each_key_of_a_rule_and_no_other() -> None:
    keys = {field.alias or name for name, field in RuleEntry.model_fields.items()}
    assert names_below("docs/rules.md", "Keys") == keys
    select = sections("docs/rules.md")["`select`"]
    assert {f"`{name}`" in select for name in SelectEntry.model_fields} == {True}


@pytest.mark.parametrize(
    ("page", "heading", "names"),
    [
        pytest.param(HOW_TO, "Dialects", DIALECTS, id="dialects"),
        pytest.param("docs/quality.md", "Tests", QUALITY_TESTS, id="quality tests"),
        pytest.param("docs/rules.md", "Kinds", RULE_KINDS, id="rule kinds"),
    ],
)
def test_it_has_a_heading_for_each_plug_in_and_no_other(
    page: str, heading: str, names: Any
) -> None:
    assert names_below(page, heading) == set(names)


@pytest.mark.parametrize("codec", CODECS)
def test_it_has_a_row_for_each_codec_that_names_parameters(codec: str) -> None:
    found = rows(sections(HOW_TO)["Codecs"])
    assert found.keys() == CODECS.keys()
    named = set(re.findall(r"`(\w+)`", found[codec].rpartition(" | ")[2]))
    meant = {channel.parameter for channel in PROFILES[codec].channels.values()}
    assert named <= CATALOGUE.keys()
    assert meant <= named


def test_it_has_a_row_for_each_severity() -> None:
    found = rows(sections("docs/rules.md")["Severities"])
    assert list(found) == [severity.label for severity in sorted(Severity)]


def test_it_has_a_row_for_each_label_of_matchers() -> None:
    found = rows(sections("docs/how-to/act-on-alerts.md")["Matchers"])
    assert list(found)[: len(LABELS)] == list(LABELS)


def test_it_has_a_row_for_each_flag() -> None:
    text = text_of(ROOT / "docs/quality.md")
    shown = re.findall(r"^\| (\d) \| ([a-z ]+) \|", text, re.MULTILINE)
    assert shown == [(str(int(f)), f.name.lower().replace("_", " ")) for f in Flag]


@pytest.mark.parametrize("limit", LIMITS.values(), ids=lambda limit: limit.id)
def test_it_has_a_row_for_each_limit_of_the_standards(limit: Limit) -> None:
    found = rows(sections("docs/rules.md")["Standards"])
    compared = "yes" if limit.verified else "not yet"
    cells = (f"{limit.value:g}", limit.title.en, limit.date, compared)
    assert found[limit.id] == f"| `{limit.id}` | `{limit.parameter}` | {' | '.join(cells)} |"
    assert found.keys() == LIMITS.keys()


# --- configuration ---


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        pytest.param("sites.yaml", [SiteEntry], id="sites"),
        pytest.param("quality", [LimitsEntry, ClimateEntry], id="quality"),
        pytest.param("devices.yaml", [DeviceEntry, GatewayEntry, AutoApproveEntry], id="devices"),
        pytest.param("sources.yaml", [SourceEntry], id="sources"),
        pytest.param("profiles/", [ProfileEntry, ChannelEntry], id="profiles"),
        pytest.param("escalation.yaml", [LadderEntry, LevelEntry], id="escalation"),
        pytest.param("maintenance.yaml", [WindowEntry], id="maintenance"),
        pytest.param(
            "notify.yaml",
            [AddressEntry, NotifyFile, ReceiverEntry, RouteEntry, TimeIntervalEntry, WebhookEntry],
            id="notify",
        ),
        pytest.param("standards/", [Index, Limit, Step], id="standards"),
    ],
)
def test_it_names_each_key_of_a_configuration_file(
    heading: str, models: list[type[BaseModel]]
) -> None:
    words = sections("docs/configuration.md")[heading]
    fields = [field for model in models for field in model.model_fields.items()]
    keys = [field.alias or key for key, field in fields]
    assert [key for key in keys if f"`{key}`" not in words] == []


@pytest.mark.parametrize(
    ("page", "heading", "model"),
    [
        pytest.param("configuration", "sites.yaml", SitesWithQuality, id="sites"),
        pytest.param("configuration", "devices.yaml", DevicesFile, id="devices"),
        pytest.param("configuration", "sources.yaml", SourcesFile, id="sources"),
        pytest.param("configuration", "profiles/", ProfilesFile, id="profiles"),
        pytest.param("configuration", "escalation.yaml", EscalationFile, id="escalation"),
        pytest.param("configuration", "maintenance.yaml", MaintenanceFile, id="maintenance"),
        pytest.param("configuration", "notify.yaml", NotifyFile, id="notify"),
        pytest.param("configuration", "standards/", StandardsFile, id="standards"),
    ],
)
def test_its_example_of_a_configuration_file_is_valid(
    page: str, heading: str, model: type[BaseModel]
) -> None:
    (example,) = blocks(sections(f"docs/{page}.md")[heading], "yaml")
    model.model_validate(yaml.safe_load(example))


def test_its_examples_of_rules_are_rules(tmp_path: Path) -> None:
    examples = blocks(text_of(ROOT / "docs/rules.md"), "yaml")
    files = [RulesFile.model_validate(yaml.safe_load(example)) for example in examples]
    assert {rule.kind for file in files for rule in file.rules} == set(RULE_KINDS)
    joined = tmp_path / "rules.yaml"
    joined.write_text("rules:\n" + "".join(e.removeprefix("rules:\n") for e in examples))
    load_at(joined, None)


def test_it_names_each_field_of_a_native_message() -> None:
    cells = re.findall(r"^\| ([^|]+) \|", sections(HOW_TO)["`native`"], re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(Envelope.__struct_fields__)


def test_the_page_on_privacy_is_what_people_agree_to() -> None:
    assert f"Version\nof this text: {CONSENT_TEXT}." in text_of(ROOT / "docs/privacy.md")


# --- scenarios ---

SCENARIOS = sections("docs/scenarios.md")


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        pytest.param("Events", set(EventKind), id="events"),
        pytest.param("Faults", set(FaultKind), id="faults"),
        pytest.param("What ships", {path.stem for path in SHIPPED.glob("*.yaml")}, id="ships"),
    ],
)
def test_it_has_a_row_for_each_name_of_scenarios(heading: str, names: set[str]) -> None:
    assert set(rows(SCENARIOS[heading])) == names


@pytest.mark.parametrize(
    ("heading", "entry"),
    [
        pytest.param("Keys", ScenarioFile, id="file"),
        pytest.param("Of an event", EventEntry, id="event"),
        pytest.param("Of a fault", FaultEntry, id="fault"),
    ],
)
def test_it_tells_each_key_of_a_scenario(heading: str, entry: type[BaseModel]) -> None:
    for name in entry.model_fields:
        assert re.search(rf"`{name}:?`", SCENARIOS[heading]), name


def test_it_says_where_each_event_happens_and_which_faults_have_a_size() -> None:
    events, faults = rows(SCENARIOS["Events"]), rows(SCENARIOS["Faults"])
    for kind, effect in EVENTS.items():
        assert f"| {', '.join(effect.touches)} |" in events[kind]
    for fault, traits in FAULTS.items():
        assert faults[fault].endswith("| – |") == (traits.size is None)


def test_its_example_of_a_scenario_can_be(tmp_path: Path) -> None:
    (example,) = blocks(text_of(ROOT / "docs/scenarios.md"), "yaml")
    (tmp_path / "a.yaml").write_text(example, encoding="utf-8")
    city = configuration.load(ROOT / "config")
    account = load_scenario(tmp_path / "a.yaml", city.sites, city.devices.values()).account()
    assert [truth.kind for truth in account.truths] == ["spill", "stuck"]
