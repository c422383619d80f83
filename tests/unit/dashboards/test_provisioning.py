"""The files that Grafana reads at its start fit the dashboards, and hold no secret."""

import configparser
from typing import Any

import yaml

from dashboards.build import FOLDER
from dashboards.publish import FOLDERS
from simulators.processes import ROOT

GRAFANA = ROOT / "config" / "grafana"


def provisioned(kind: str) -> Any:
    path = GRAFANA / "provisioning" / kind / "andaman.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_data_source_is_the_one_that_dashboards_look_for() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert source["uid"] == "andaman-influxdb"
    assert (source["type"], source["jsonData"]["version"]) == ("influxdb", "Flux")
    assert source["editable"] is False
    assert source["secureJsonData"]["token"].startswith("$__file{")


def test_each_language_has_its_folder_as_publishing_makes_it() -> None:
    providers = provisioned("dashboards")["providers"]
    assert {p["folderUid"]: p["folder"] for p in providers} == {
        f"andaman-{language}": title for language, title in FOLDERS.items()
    }
    for provider in providers:
        language = provider["options"]["path"].rpartition("/")[2]
        assert list((FOLDER / language).glob("*.json"))
        assert provider["allowUiUpdates"] is False


def test_nobody_comes_in_without_a_name_and_grafana_alerts_nobody() -> None:
    settings = configparser.ConfigParser()
    settings.read_string((GRAFANA / "grafana.ini").read_text(encoding="utf-8"))
    assert settings["auth.anonymous"]["enabled"] == "false"
    assert settings["unified_alerting"]["enabled"] == "false"
    assert settings["users"]["viewers_can_edit"] == "false"
    assert not any("password" in key for section in settings.values() for key in section)
