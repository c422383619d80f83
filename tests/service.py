"""The API over a real ledger, without pipeline, broker or network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from fastapi.testclient import TestClient

from alerts.audience import Audience
from alerts.backtest import Backtest
from alerts.explanation import RuleFacts
from alerts.followup import Arrangements, FollowUp
from alerts.planning import Telephone
from alerts.routing import Receiver, Route, Routes
from alerts.rule_book import Book, Listed
from api.auth import hash_of, new_key
from api.server import ApiContext, Check, SystemStatus, create_app
from core.access import Role, Throttle
from core.alerts import Action, Reason, Severity, State, Transition
from core.catalogue import CATALOGUE
from core.configuration import Configuration
from core.links import Links
from core.messages import Counter, Counts, Progress, Quarantined, Settled
from core.notices import Channel, Recipient
from core.readings import Columns, Flag
from core.registry import (
    Clock,
    Device,
    Gateway,
    Placement,
    Series,
    Site,
    Status,
    Suggestion,
    Traits,
)
from core.times import MINUTE
from ingest.quality.table import objections
from storage.database import open_readers
from storage.history import LedgerHistory
from storage.ledger import Batch, Ledger
from storage.registry import Change
from storage.rules import OwnRule

NOW = 1_795_309_200_000_000  # 2026-11-22T01:00:00Z
INSTALLED = 1_768_435_200_000_000  # 2026-01-15T00:00:00Z
CLOCK = Clock(offset=0.4, spread=0.2, samples=15, since=NOW, steady=True)
LINKS = Links(b"a secret of this test", "https://sea.example")
LOCAL_KEY = "andaman_localkey_" + "L" * 43

Result = TypeVar("Result")


def _site(identifier: str, kind: str) -> Site:
    return Site(
        id=identifier,
        kind=kind,
        name={"en": identifier.title(), "th": "ที่"},
        latitude=7.9,
        longitude=98.3,
        district="kathu/patong",
        owner="Town",
    )


def _device(identifier: str, site: str) -> Device:
    stood = (Placement(INSTALLED, site),)
    return Device(id=identifier, gateway="gw", placements=stood, model="probe")


CITY = Configuration(
    sites={s.id: s for s in (_site("bay", "beach"), _site("corner", "bin"), _site("hill", "air"))},
    gateways={"gw": Gateway(id="gw", name={"en": "West", "th": "ตะวันตก"})},
    devices={d.id: d for d in (_device("buoy", "bay"), _device("mast", "hill"))},
)


def series_of(*pairs: tuple[str, str]) -> list[Series]:
    """Series numbered from 0 on, at the sites of `CITY`."""
    found = []
    for index, (device, parameter) in enumerate(pairs):
        site = CITY.sites[CITY.devices[device].site]
        found.append(
            Series(
                index=index,
                device=device,
                parameter=parameter,
                site=site.id,
                kind=site.kind,
                district=site.district,
            )
        )
    return found


OFFICE = Receiver(
    name="office", pace=0, addresses=[(Channel.EMAIL, Recipient("office@example.org", "en"))]
)
TELEPHONE = Telephone(
    routes=Routes(root=Route(key="", receiver="office"), receivers={"office": OFFICE}),
    rules=dict,
    channels=frozenset({Channel.EMAIL}),
    audience=Audience(CITY.zone, frozenset({Channel.EMAIL})),
)
TURBID = Listed(id="beach-turbid", origin="rules/beach.yaml:3", text="- id: …", rule=None)
SERIES = series_of(("buoy", "turbidity"), ("buoy", "battery_level"), ("mast", "pm25"))


GROSS_RANGE = {Flag.GOOD: 1, Flag.SUSPECT: 2, Flag.FAIL: 3}  # what this test says of a flag


def columns(rows: Sequence[tuple[int, int, float, int]]) -> Columns:
    """Rows of (series, measured_at, value, flag), received half a second later."""
    rows = sorted(rows)
    series, measured_at, value, flag = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Columns(
        series=np.array(series, np.int64),
        measured_at=np.array(measured_at, np.int64),
        received_at=np.array(measured_at, np.int64) + 500_000,
        value=np.array(value, np.float64),
        flag=np.array(flag, np.uint8),
        tests=np.array([GROSS_RANGE.get(f, 0) for f in flag], np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


class Service:
    """A ledger, and an API client for each kind of caller."""

    def __init__(self, ledger: Ledger, context: ApiContext) -> None:
        self.ledger = ledger
        self.context = context
        self.now = NOW
        self.http = TestClient(create_app(context))
        self.keys = {role: self.new_key(role) for role in Role}

    def new_key(self, role: Role) -> str:
        """A key in force, as its owner sees it."""
        made = new_key()
        owner = "gw" if role is Role.GATEWAY else f"a {role}"
        self.ledger.add_key(made.id, made.hash, role, owner, NOW)
        return made.text

    def with_context(self, **changes: Any) -> TestClient:
        """A client of the same ledger through another context."""
        return TestClient(create_app(replace(self.context, **changes)))

    def headers(self, role: Role = Role.VIEWER) -> dict[str, str]:
        """What a caller with that role sends."""
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def get(self, path: str, _as: Role = Role.VIEWER, **asked: Any) -> Any:
        """The answer of a GET that must succeed."""
        response = self.http.get(path, params=asked, headers=self.headers(_as))
        assert response.status_code == 200, response.text
        return response.json()

    def pages(self, path: str, **asked: Any) -> list[list[Any]]:
        """The items of each page of a list."""
        page = self.get(path, Role.ADMIN, **asked)
        found = [page["items"]]
        while page["next"] is not None:
            page = self.get(path, Role.ADMIN, **asked, cursor=page["next"])
            found.append(page["items"])
        return found

    def refused(self, path: str, **asked: Any) -> Any:
        """The problem of a GET that must not succeed."""
        response = self.http.get(path, params=asked, headers=self.headers())
        assert response.headers["content-type"] == "application/problem+json", response.text
        problem = response.json()
        assert problem["status"] == response.status_code
        return problem

    def store(
        self,
        *rows: tuple[int, int, float, int],
        transitions: Sequence[Transition] = (),
        quarantined: Sequence[Quarantined] = (),
        duplicate: int = 0,
        points: int = 0,
        progress: Mapping[Counter, Progress] | None = None,
        statuses: Sequence[Status] = (),
    ) -> None:
        """Commit a batch of (series, measured_at, value, flag) of `SERIES`."""
        held = columns(rows)
        refused = sum(q.items for q in quarantined)
        known = {index for index, _, _ in self.ledger.series()}
        counts = Counts(
            received=len(held) + duplicate + refused,
            stored=len(held),
            duplicate=duplicate,
            quarantined=refused,
        )
        self.ledger.commit(
            Batch(
                recorded_at=NOW,
                columns=held,
                counts=counts,
                newest=held.newest(),
                new_series=[s for s in SERIES if s.index not in known],
                quarantined=quarantined,
                progress=progress or {},
                statuses=statuses,
                transitions=transitions,
                points=points,
                lines=b"x" * points,
            )
        )


def change(
    alert: str,
    after: State,
    at: int,
    *,
    before: State | None = None,
    severity: Severity = Severity.WARNING,
    rule: str = "beach-turbid",
    site: str = "bay",
) -> Transition:
    """One transition of an alert about the buoy's turbidity."""
    return Transition(
        alert=alert,
        rule=rule,
        version="v1",
        subject="buoy/turbidity",
        site=site,
        before=before,
        after=after,
        severity=severity,
        reason=Reason.FIRST_BREACH,
        at=at,
        value=61.5,
        evidence={"level": 25.0},
    )


def healthy() -> SystemStatus:
    """Everything is well."""
    return SystemStatus(checks={"ledger": Check(ok=True, words="commits in 2 ms")})


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    """An empty ledger that knows `CITY`, served at `NOW`."""
    ledger = Ledger(folder)
    ledger.register(CITY)
    readers = open_readers(folder)

    async def write(change: Callable[[Ledger], Result], /) -> Result:
        return change(ledger)

    async def enrol(change: Change[Result], /) -> Result:
        with ledger.transaction() as connection:
            return change(connection)

    async def amend(change: Change[Result], /) -> Result:
        with ledger.transaction() as connection:
            return change(connection)

    async def act(_action: Action, /) -> Transition | None:
        return None

    async def push(_topic: bytes, _payload: bytes, /) -> Settled:
        return Settled()

    async def retry(_entry: int, /, **_how: Any) -> Settled | None:
        return None

    async def admit() -> str:
        return ""

    async def reload_rules(_by: str, /) -> Mapping[str, tuple[str, str]]:
        return {}

    async def keep_rule(_own: OwnRule, _by: str, _action: str, /) -> Mapping[str, tuple[str, str]]:
        return {}

    async def remove_rule(_rule: str, _by: str, /) -> Mapping[str, tuple[str, str]]:
        return {}

    context = ApiContext(
        readers=readers,
        history=LedgerHistory(readers),
        write=write,
        enrol=enrol,
        amend=amend,
        push=push,
        retry=retry,
        admit=admit,
        traits=lambda _held, _device: Traits(
            keys=("ph",), suggestions=(Suggestion("", 1.0, "all"),)
        ),
        dialects=frozenset({"native", "sensor-community", "tasmota"}),
        clock=lambda: NOW,
        status=healthy,
        clocks=lambda: {"buoy": CLOCK},
        throttle=lambda _: Throttle(messages_per_second=1000, beyond=0, wait=0),
        rules=lambda: {"beach-turbid": RuleFacts(name={"en": "Turbid water", "th": "น้ำขุ่น"})},
        book=lambda: Book(listed={TURBID.id: TURBID}, limits={}),
        backtest=lambda *_: Backtest(readings=0, reports=[], firings=[]),
        reload_rules=reload_rules,
        keep_rule=keep_rule,
        remove_rule=remove_rule,
        catalogue=CATALOGUE,
        objections=objections,
        act=act,
        links=LINKS,
        telephone=TELEPHONE,
        channels=frozenset({Channel.EMAIL, Channel.LINE}),
        standing=FollowUp(ledger, Arrangements(zone=CITY.zone)).standing,
        local_key_hash=hash_of(LOCAL_KEY),
    )
    try:
        yield Service(ledger, context)
    finally:
        readers.dispose()
        ledger.close()


def ago(minutes: float) -> int:
    """A moment before `NOW`."""
    return NOW - round(minutes * MINUTE)
