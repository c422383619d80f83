"""Days on which people change rules and registry, act and silence: a replay tells the same of them.

Everything that a replay needs is in the ledger; the files of the city are not looked at.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.alerts import Action, ActionKind
from core.errors import RegistryError
from core.messages import Message
from core.muting import Silence
from core.registry import Device, Placement, Site
from core.times import MINUTE, iso
from storage.registry import add_device, add_site, change_site, move_device
from storage.silences import add_silence
from tests.arrivals import LEAST_GAP, arrivals
from tests.every_kind import RULES
from tests.world import MIDNIGHT, World, small_world
from verifying import Past

SITES = ("patong", "town", "bin", "wharf")
WHARF = Site(
    id="wharf",
    kind="bin",
    name={"en": "Wharf", "th": "ท่าเรือ"},
    latitude=7.89,
    longitude=98.39,
    district="mueang",
)
DEVICES = """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
  - {id: other, name: {en: Other, th: อื่น}}
devices:
"""
TEXTS = (
    RULES,
    RULES.replace("warning: 80", "warning: 85"),
    RULES.replace("for: 5m", "for: 3m").replace("en: Full", "en: Brimful"),
    RULES.replace("need: 2", "need: 1").replace("storm: 1", "storm: 2"),
    RULES.replace("kind: missing, name", "kind: missing, shadow: true, name"),
    "\n".join(RULES.strip().splitlines()[:-2]),  # without the composite of composites
)


class Day:
    """A city whose bins are in files and whose other devices were made by the API."""

    def __init__(self, world: World, data: st.DataObject) -> None:
        self.world = world
        self.data = data
        self.made = 0
        at = world.now
        world.system.by_people.enrol(lambda c: add_site(c, WHARF, by="k", at=at))
        for device, site in (("air-1", "town"), ("patong-1", "patong")):
            self._enrol(device, site)
        self.changes: Mapping[str, Callable[[], object]] = {
            "act": self.act,
            "a new device": self.add,
            "an edit": self.edit,
            "an edit and a start": self.edit_and_start,
            "a move": self.move,
            "a move in a file": self.move_in_file,
            "another district": self.redistrict,
            "a silence": self.silence,
        }

    def live(self, messages: Sequence[Message], changes: Mapping[int, str]) -> None:
        """Settle messages one by one; after some of them people change something."""
        for number, message in enumerate(messages):
            self.world.now = message.received_at
            self.world.system.pipeline.settle([message])
            self.world.now += LEAST_GAP // 2
            if number in changes:
                self.changes[changes[number]]()
        self.world.system.pipeline.tick(messages[-1].received_at + 3 * 60 * MINUTE)

    def act(self) -> None:
        alerts = self.world.rows("SELECT alert FROM transitions ORDER BY id DESC LIMIT 3")
        if alerts:
            kind = self.draw(list(ActionKind))
            until = self.world.now + 10 * MINUTE if kind is ActionKind.SHELVE else None
            alert = self.draw([alert for (alert,) in alerts])
            action = Action(kind=kind, alert=alert, by="nok", note="why", until=until, to="noi")
            self.world.system.by_people.act(action)

    def add(self) -> None:
        self.made += 1
        self._enrol(f"bin-{10 + self.made}", self.draw(SITES))

    def edit(self) -> None:
        self._write("rules/rules.yaml", self.draw(TEXTS))
        self.world.system.rules.reload("signal")

    def edit_and_start(self) -> None:
        self._write("rules/rules.yaml", self.draw(TEXTS))
        self.world.restart()

    def move(self) -> None:
        device, place = (
            self.draw(("air-1", "patong-1")),
            Placement(self.world.now, self.draw(SITES)),
        )
        at = self.world.now
        with suppress(RegistryError):  # it stands there already
            self.world.system.by_people.enrol(
                lambda connection: move_device(connection, device, place, by="k", at=at)
            )

    def move_in_file(self) -> None:
        self._write("devices.yaml", devices(self.draw(SITES[:3]), iso(self.world.now)))
        self.world.restart()

    def redistrict(self) -> None:
        wanted, at = {"district": self.draw(("thalang", "mueang"))}, self.world.now
        self.world.system.by_people.enrol(
            lambda connection: change_site(connection, "wharf", wanted, by="k", at=at)
        )

    def silence(self) -> None:
        now = self.world.now
        ends = now + 20 * MINUTE
        made = {"by": "nok", "made_by": "k", "made_at": now, "starts_at": now, "ends_at": ends}
        silence = Silence(id="", matchers=("rule=~.*",), reason="why", **made)  # type: ignore[arg-type]
        add_silence(self.world.system.ledger, silence)

    def draw(self, among: Sequence[Any]) -> Any:
        return self.data.draw(st.sampled_from(among))

    def _enrol(self, device: str, site: str) -> None:
        since = Placement(MIDNIGHT - 60 * MINUTE, site)
        made = Device(id=device, gateway="gw", placements=(since,), made_at=self.world.now)
        at = self.world.now
        self.world.system.by_people.enrol(
            lambda connection: add_device(connection, made, by="k", at=at)
        )

    def _write(self, name: str, text: str) -> None:
        path = self.world.system.settings.config_dir / name
        path.write_text(text, encoding="utf-8")


def devices(site: str, since: str) -> str:
    """Where bin-1 stands since then."""
    rest = "  - {id: bin-2, gateway: other, site: bin, since: 2026-01-01}\n"
    return f"{DEVICES}  - {{id: bin-1, gateway: gw, site: {site}, since: {since}}}\n{rest}"


@settings(max_examples=12, deadline=None)
@given(arrivals(), st.data())
def test_whatever_people_changed_a_replay_tells_the_same(
    messages: list[Message], data: st.DataObject
) -> None:
    files = {
        "rules": RULES,
        "devices": devices("bin", "2026-01-01"),
    }
    with tempfile.TemporaryDirectory() as folder, small_world(Path(folder), files) as world:
        day = Day(world, data)
        numbers = st.integers(0, len(messages) - 1)
        changes = st.dictionaries(numbers, st.sampled_from(sorted(day.changes)), min_size=1)
        day.live(messages, data.draw(changes, label="changes"))
        folders = world.system.settings
        past = Past(folders.data_dir, folders.lateness_minutes * MINUTE)
        assert past.replayed(chunk=7)[0] == past.recorded()
        past.close()
