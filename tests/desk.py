"""The API over a world of `tests.world`: pushes and retries go through its pipeline."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fastapi.testclient import TestClient

from api.auth import new_key
from api.server import ApiContext, SystemStatus, create_app
from core.access import Role
from core.alerts import Action, Transition
from core.catalogue import CATALOGUE
from core.messages import Message, Settled
from ingest import strangers
from ingest.dialects.table import DIALECTS
from ingest.quality.table import objections
from ruling import Changed
from storage.history import LedgerHistory
from storage.ledger import Ledger
from storage.registry import Change
from storage.rules import OwnRule
from tests.world import World

Result = TypeVar("Result")


class DeskOf:
    """An administrator and a gateway before the API of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gateway = self._key(Role.GATEWAY, "gw")
        self.admin = self._key(Role.ADMIN, "someone")
        self.http = TestClient(create_app(self.context()))

    def context(self) -> ApiContext:
        """What the composition root would hand in."""
        world = self.world

        async def write(change: Callable[[Ledger], Result], /) -> Result:
            return change(world.system.ledger)

        async def enrol(change: Change[Result], /) -> Result:
            return world.system.by_people.enrol(change)

        async def amend(change: Change[Result], /) -> Result:
            return world.system.by_people.amend(change)

        async def act(action: Action, /) -> Transition | None:
            return world.system.by_people.act(action)

        async def push(topic: bytes, payload: bytes, /) -> Settled:
            world.now += 1
            return world.system.pipeline.settle_one(Message(topic, payload, world.now, qos=1))

        async def retry(entry: int, /, **how: Any) -> Settled | None:
            world.now += 1
            return world.system.pipeline.retry(entry, **how)

        async def admit() -> str:
            return ""

        async def reload_rules(by: str, /) -> Changed:
            return world.system.rules.reload(by)

        async def keep_rule(own: OwnRule, by: str, action: str, /) -> Changed:
            return world.system.rules.keep(own, by, action)

        async def remove_rule(rule: str, by: str, /) -> Changed:
            return world.system.rules.remove(rule, by)

        return ApiContext(
            readers=world.system.readers,
            links=world.system.links,
            channels=frozenset(world.system.channels),
            history=LedgerHistory(world.system.readers),
            write=write,
            enrol=enrol,
            amend=amend,
            push=push,
            retry=retry,
            admit=admit,
            traits=partial(
                strangers.traits,
                sources=world.system.city.sources,
                profiles=world.system.city.profiles,
            ),
            dialects=frozenset(DIALECTS),
            clock=world.clock,
            status=lambda: SystemStatus(checks={}),
            clocks=world.system.pipeline.clocks.all,
            throttle=lambda gateway: world.system.pipeline.limits.of(gateway, world.now),
            rules=world.system.rules.facts,
            book=lambda: world.system.rules.book,
            backtest=world.system.backtests.run,
            reload_rules=reload_rules,
            keep_rule=keep_rule,
            remove_rule=remove_rule,
            catalogue=CATALOGUE,
            objections=objections,
            zone=world.system.city.registry.zone,
            standing=world.system.follow_up.standing,
            act=act,
            ladders=world.system.city.ladders,
            telephone=world.system.follow_up.arrangements.telephone,
        )

    def push(self, body: bytes, asked: str = "", **headers: str) -> Any:
        """The response to a push of the gateway `gw`."""
        sent = headers | {"Authorization": f"Bearer {self.gateway}"}
        return self.http.post(f"/v1/readings{asked}", content=body, headers=sent)

    def get(self, path: str) -> Any:
        """What the administrator sees there."""
        return self._ask("GET", path).json()

    def post(self, path: str, body: Any) -> Any:
        """The response to the administrator."""
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """The response to the administrator."""
        return self._ask("PATCH", path, body)

    def put(self, path: str, body: Any) -> Any:
        """The response to the administrator."""
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        """The response to the administrator."""
        return self._ask("DELETE", path)

    def text(self, path: str) -> str:
        """The file that the administrator gets there."""
        return str(self._ask("GET", path).content.decode())

    def send(self, path: str, file: str) -> Any:
        """The report on a file that the administrator sends."""
        headers = {"Authorization": f"Bearer {self.admin}"}
        response = self.http.post(path, content=file.encode(), headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def waiting(self) -> list[tuple[int, str, int]]:
        """(id, reason, items) of what waits, the oldest first."""
        found = self.get("/v1/quarantine")["items"]
        return [(entry["id"], entry["reason"], entry["items"]) for entry in found][::-1]

    def counted(self) -> tuple[int, int, int, int]:
        """received, stored, duplicate and quarantined; they must add up, by reason too."""
        stats = self.get("/v1/stats")
        parts = (stats["stored"], stats["duplicate"], stats["quarantined"])
        assert stats["received"] == sum(parts), stats
        assert stats["quarantined"] == sum(stats["by_reason"].values()), stats
        assert min(stats["by_reason"].values(), default=0) >= 0
        return (stats["received"], *parts)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.admin}"}
        return self.http.request(method, path, json=body, headers=headers)

    def _key(self, role: Role, owner: str) -> str:
        made = new_key()
        self.world.system.ledger.add_key(made.id, made.hash, role, owner, self.world.now)
        return made.text
