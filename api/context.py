"""What the application hands to the API, and how an endpoint gets hold of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine

from alerts.backtest import Backtest, Label
from alerts.escalation import LadderEntry
from alerts.explanation import RuleFacts
from alerts.muting import Standing
from alerts.notify.line_chat import ChatDesk
from alerts.planning import Telephone
from alerts.rule_book import Book
from api.problems import RETRY_SECONDS, ApiError
from core.access import Denied, Throttle
from core.alerts import Action, Transition
from core.catalogue import Parameter
from core.configuration import UTC_ZONE
from core.errors import RegistryError
from core.links import Links
from core.messages import Settled
from core.notices import Channel
from core.registry import Clock, Traits
from storage.forwarder import ForwarderHealth
from storage.history import History
from storage.labels import Places
from storage.ledger import Ledger
from storage.quarantine import Held
from storage.registry import Change
from storage.rules import OwnRule

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be well for the system to be ready; `words` say how it is."""

    ok: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """How the running system is: for readiness, statistics and metrics. A part that does not run
    in this process keeps its default.
    """

    checks: Mapping[str, Check]
    worker_backlog: int = 0
    listener_connected: bool = False
    listener_loop_age_seconds: float = 0.0
    forwarder: ForwarderHealth = field(default_factory=ForwarderHealth)
    ledger_bytes: int = 0
    messages_per_second: float | None = None
    denied: Mapping[str, Denied] = field(default_factory=dict)


class Write(Protocol):
    """Runs a change on the thread that owns the ledger; raises StorageError when it fails."""

    def __call__(self, change: Callable[[Ledger], Result], /) -> Awaitable[Result]: ...


class Enrol(Protocol):
    """Changes the registry on that thread, in the ledger and in all that runs; raises
    RegistryError when it cannot be so, StorageError when it fails.
    """

    def __call__(self, change: Change[Result], /) -> Awaitable[Result]: ...


class Amend(Protocol):
    """Changes what people say of readings on that thread, in the ledger and for readings to come;
    raises StorageError when it fails.
    """

    def __call__(self, change: Change[Result], /) -> Awaitable[Result]: ...


class Push(Protocol):
    """Settles a message that came over HTTP, after the commit; raises StorageError."""

    def __call__(self, topic: bytes, payload: bytes, /) -> Awaitable[Settled]: ...


class Retry(Protocol):
    """Tries a quarantine entry's message again, with another payload where one is given; None when
    the entry does not wait. `by` is the key that asks. Raises StorageError.
    """

    def __call__(
        self, entry: int, /, *, by: str, note: str = "", payload: bytes | None = None
    ) -> Awaitable[Settled | None]: ...


class Admit(Protocol):
    """Has the broker let in whom the ledger names now; what is left to do by hand, else nothing.
    Raises BrokerError.
    """

    def __call__(self) -> Awaitable[str]: ...


class RunBacktest(Protocol):
    """What rules would have done over the readings measured in [start, end), µs: these rules, or
    those in force. It takes its time, on the caller's thread. Raises RegistryError, BusyError.
    """

    def __call__(
        self,
        bodies: Sequence[Mapping[str, Any]],
        start: int,
        end: int,
        labels: Sequence[Label] | None = None,
        /,
    ) -> Backtest: ...


class ReloadRules(Protocol):
    """Reads the files of rules again on that thread; by rule its version before and now, where that
    is another. `by` is the key that asks. Raises ConfigError, StorageError.
    """

    def __call__(self, by: str, /) -> Awaitable[Mapping[str, tuple[str, str]]]: ...


class KeepRule(Protocol):
    """Makes a rule of the API so; the same. Raises RegistryError as well."""

    def __call__(
        self, own: OwnRule, by: str, action: str, /
    ) -> Awaitable[Mapping[str, tuple[str, str]]]: ...


class RemoveRule(Protocol):
    """A rule of the API is no more; the same. Raises RegistryError as well."""

    def __call__(self, rule: str, by: str, /) -> Awaitable[Mapping[str, tuple[str, str]]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """`readers`, `status`, `throttle` (of a gateway) and `clocks` (of devices of which enough was
    heard) are used from many threads at once.

    `push` and `retry` go through the pipeline; `dialects` are those that it understands; `traits`
    looks into what waits of an unknown device. `admit` tells the broker after a change; `reserved`
    are ids that no gateway may have.

    `objections` names the tests of quality that found fault, by the code that a reading keeps.

    `zone` is the city's; `intervals` say how often a model of device reports, µs.

    `standing` tells what may hold alerts back at a moment, µs; `act` does what an officer does to
    an alert, and gives nothing where that does not apply; `ladders` are those of escalation. `chat`
    talks to users of LINE, where that is set up.

    `links` make and read the addresses that are sent to people; `channels` are those that are set
    up.

    `rules` maps a rule to what is told of it, `book` has all that is written; `local_key_hash` is
    the hash of the key that the command line on this machine uses, an administrator's;
    `collectors` are further metrics;
    a change that is not stored within `write_seconds` is given up.

    `telephone` is what is planned by when people are told, None where nobody is; `wake` has what is
    due sent at once.
    """

    readers: Engine
    history: History
    write: Write
    enrol: Enrol
    amend: Amend
    push: Push
    retry: Retry
    admit: Admit
    traits: Callable[[Sequence[Held], str], Traits]
    dialects: frozenset[str]
    clock: Callable[[], int]
    status: Callable[[], SystemStatus]
    throttle: Callable[[str], Throttle]
    clocks: Callable[[], Mapping[str, Clock]]
    rules: Callable[[], Mapping[str, RuleFacts]]
    book: Callable[[], Book]
    backtest: RunBacktest
    reload_rules: ReloadRules
    keep_rule: KeepRule
    remove_rule: RemoveRule
    catalogue: Mapping[str, Parameter]
    objections: Callable[[int], Mapping[str, str]]
    standing: Callable[[Connection, int, Places], Standing]
    act: Callable[[Action], Awaitable[Transition | None]]
    links: Links
    channels: frozenset[Channel] = frozenset()
    ladders: Sequence[LadderEntry] = ()
    chat: ChatDesk | None = None
    zone: ZoneInfo = UTC_ZONE
    intervals: Mapping[str, int] = field(default_factory=dict)
    local_key_hash: str | None = None
    reserved: frozenset[str] = frozenset()
    collectors: tuple[Collector, ...] = ()
    write_seconds: float = 10.0
    telephone: Telephone | None = None
    wake: Callable[[], None] = lambda: None

    def unit_of(self, parameter: str) -> str:
        """The unit; empty for a parameter that has left the catalogue."""
        known = self.catalogue.get(parameter)
        return known.unit if known else ""


async def patiently(context: ApiContext, change: Awaitable[Result]) -> Result:
    """Wait for the ledger, but not for as long as a full disk lasts.

    Raises:
        ApiError: it took too long; nothing is changed, or it was changed after all.
    """
    try:
        return await asyncio.wait_for(change, context.write_seconds)
    except TimeoutError:
        words = "The ledger takes no changes now; try again later, see /health/ready."
        retry = {"Retry-After": str(RETRY_SECONDS)}
        raise ApiError("unavailable", words, headers=retry) from None


async def enrolled(context: ApiContext, change: Change[Result]) -> Result:
    """Change the registry.

    Raises:
        ApiError: it cannot be so, or it took too long.
    """
    try:
        return await patiently(context, context.enrol(change))
    except RegistryError as error:
        raise ApiError(error.kind, str(error), field=error.field) from error


async def _of_app(request: Request) -> ApiContext:
    return cast(ApiContext, request.app.state.context)


Context = Annotated[ApiContext, Depends(_of_app)]
