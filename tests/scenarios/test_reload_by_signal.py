"""A running `andaman` reads its rules again when it is told to by SIGHUP."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.times import MINUTE, iso
from simulators.processes import Andaman, andaman, wait_until
from tests.world import CONFIGURATION, write_configuration

RULES = CONFIGURATION["rules.yaml"]
EDITED = RULES.replace("warning: 80", "warning: 82")
BROKEN = EDITED.replace("clear: 60", "clear: 90")


class Running:
    """A system with a gateway that pushes."""

    def __init__(self, folder: Path, system: Andaman) -> None:
        self.system = system
        self._rules = folder / "config" / "rules" / "rules.yaml"
        local = json.loads((system.data / "local.json").read_text(encoding="utf-8"))
        self.http = httpx.Client(base_url=local["api"])
        asked = {"role": "gateway", "owner": "gw"}
        self._gateway = self._post("/v1/keys", local["key"], asked)["key"]

    def push(self, device: str, *, ago: int = 0, **values: float) -> None:
        """A reading measured so many minutes ago."""
        at = iso(time.time_ns() // 1000 - ago * MINUTE)
        self._post("/v1/readings", self._gateway, {"device": device, "time": at, "values": values})

    def reload(self, text: str, words: str) -> None:
        """Write the rules, send the signal, and wait until the log says so."""
        self._rules.write_text(text, encoding="utf-8")
        before = self.system.said().count(words)
        self.system.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.system.said().count(words) > before)

    def alerts(self, rule: str) -> list[dict[str, Any]]:
        """Those of a rule, the newest first, each with its story."""
        found = self.system.ask(f"/v1/alerts?rule={rule}").json()["items"]
        return [self.system.ask(f"/v1/alerts/{alert['id']}").json() for alert in found]

    def _post(self, path: str, key: str, body: Any) -> Any:
        answer = self.http.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with andaman(tmp_path, config_dir=write_configuration(tmp_path / "config")) as system:
        system.start()
        system.wait_ready()
        made = Running(tmp_path, system)
        yield made
        made.http.close()


def reasons(alert: dict[str, Any]) -> list[str]:
    return [change["reason"] for change in alert["transitions"]]


@pytest.mark.network
def test_alerts_of_an_edited_rule_end_once_and_a_broken_file_changes_nothing(
    running: Running,
) -> None:
    running.push("bin-1", fill_level=85.0)
    running.push("air-1", pm25=60.0, ago=6)
    running.reload(EDITED, "changed: bin-full")
    running.reload(EDITED, "changed: none")
    (full,) = running.alerts("bin-full")
    assert reasons(full) == ["first-breach", "rule-changed"]
    (haze,) = running.alerts("haze")
    assert reasons(haze) == ["first-breach"], "its rule is what it was"
    running.push("air-1", pm25=60.0)
    assert reasons(running.alerts("haze")[0]) == ["first-breach", "held"]

    running.reload(BROKEN, "rules stay as they are")
    assert "rules.yaml:4: clear 90 is beyond the mildest level" in running.system.said()
    assert running.system.process.poll() is None
    running.push("bin-1", fill_level=86.0)
    again, before = running.alerts("bin-full")
    assert (reasons(again), again["version"] != before["version"]) == (["first-breach"], True)
    assert before["id"] == full["id"]
    versions = running.system.ask("/v1/rules/bin-full").json()["versions"]
    assert [one["by"] for one in versions] == ["signal", "files"]
