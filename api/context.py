"""What the application hands to the API, and how an endpoint gets hold of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol, TypeVar, cast

from fastapi import Depends, Request
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from core.catalogue import Parameter
from storage.forwarder import ForwarderHealth
from storage.history import History
from storage.ledger import Ledger

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


class Write(Protocol):
    """Runs a change on the thread that owns the ledger; raises StorageError when it fails."""

    def __call__(self, change: Callable[[Ledger], Result], /) -> Awaitable[Result]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """`readers` and `status` are used from many threads at once.

    `rules` maps a rule to its name in `en` and `th`; `local_key_hash` is the hash of the key that
    the command line on this machine uses, an administrator's; `collectors` are further metrics;
    a change that is not stored within `write_seconds` is given up.
    """

    readers: Engine
    history: History
    write: Write
    clock: Callable[[], int]
    status: Callable[[], SystemStatus]
    rules: Mapping[str, Mapping[str, str]]
    catalogue: Mapping[str, Parameter]
    local_key_hash: str | None = None
    collectors: tuple[Collector, ...] = ()
    write_seconds: float = 10.0

    def unit_of(self, parameter: str) -> str:
        """The unit; empty for a parameter that has left the catalogue."""
        known = self.catalogue.get(parameter)
        return known.unit if known else ""


async def _of_app(request: Request) -> ApiContext:
    return cast(ApiContext, request.app.state.context)


Context = Annotated[ApiContext, Depends(_of_app)]
