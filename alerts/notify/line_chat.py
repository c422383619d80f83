"""The chat on LINE: signed events come in, are kept, and are handled one after the other.

What is said and changed is decided by `alerts.notify.chat`; this is who carries it out. An event is
kept before LINE is answered, and what it changes is committed with the mark that it was handled. An
answer that does not arrive is not sent again: the token for it lives for a minute.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from alerts.explanation import RuleFacts
from alerts.notify import chat
from alerts.notify.chat import Turn
from alerts.notify.chat_messages import Facts, Json
from alerts.notify.chat_places import places_of
from alerts.notify.line_api import LineApi, is_user
from alerts.notify.standing import told_of
from alerts.outbox import Write
from alerts.subscribing import wants
from core.alerts import Action, ActionKind, State, Transition
from core.errors import AndamanError, DeliveryError, StorageError
from core.notices import Channel, Told
from core.subscribers import Subscriber, SubscriberState
from core.times import MINUTE
from storage import joining, line_events, queries, registry, subscribers
from storage.ledger import Ledger
from storage.line_events import Waiting
from storage.queries import AlertFilter

log = logging.getLogger(__name__)

OLDEST = 5 * MINUTE  # an event that LINE did not mark as told again
_POLL_SECONDS = 2.0
_MOST_ALERTS = 2000  # looked through for the state of somebody's places


class Taken(StrEnum):
    """What became of an event: for metrics."""

    FORGED = "forged"  # not signed by LINE
    NEW = "new"
    OLD = "old"  # long ago, and not marked as told again
    REPEATED = "repeated"


class ForgedError(AndamanError):
    """The signature is not that of LINE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a user did: followed or unfollowed us, added us to a group, wrote, or tapped `text`."""

    kind: str
    user: str = ""
    group: str = ""
    text: str = ""
    token: str = ""  # to reply by


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is left to do once the event was handled."""

    facts: Facts
    turn: Turn
    replies: Sequence[Json] = ()


def signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `signature` is LINE's for these very bytes."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode("utf-8", "replace"))


def event_of(body: bytes) -> Event:
    """An event as LINE told it; what we do not know has a kind that nothing is done for."""
    raw = json.loads(body)
    source = raw.get("source") or {}
    message, postback = raw.get("message") or {}, raw.get("postback") or {}
    text = message.get("text") if message.get("type") == "text" else postback.get("data")
    kind = raw.get("type", "")
    if kind == "message" and text is None:  # a sticker, a picture
        text = "?"
    return Event(
        kind=str(kind),
        user=str(source.get("userId") or ""),
        group=str(source.get("groupId") or source.get("roomId") or ""),
        text=str(text or ""),
        token=str(raw.get("replyToken") or ""),
    )


@dataclass(slots=True, kw_only=True)
class ChatDesk:
    """Takes events, and answers them while `run` goes on.

    `act` does what an officer does to an alert; `rules` are what is told of each; `clock` is µs.
    """

    secret: str
    api: LineApi
    readers: Engine
    write: Write
    act: Callable[[Action], Awaitable[Transition | None]]
    rules: Callable[[], Mapping[str, RuleFacts]]
    zone: ZoneInfo
    clock: Callable[[], int]
    counted: dict[Taken, int] = field(default_factory=lambda: dict.fromkeys(Taken, 0))
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, body: bytes, signature: str) -> None:
        """Keep the events of a call of the webhook, each once.

        Raises:
            ForgedError: LINE did not sign it.
            StorageError: nothing is kept; LINE will tell us again.
        """
        if not signed(body, signature, self.secret):
            self.counted[Taken.FORGED] += 1
            raise ForgedError("the signature is not LINE's")
        now = self.clock()
        found, fresh = _events(body), []
        for event in found:
            if _is_old(event, now):
                self.counted[Taken.OLD] += 1
            else:
                fresh.append((str(event["webhookEventId"])[:64], json.dumps(event).encode()))

        def keep(ledger: Ledger) -> int:
            with ledger.transaction() as connection:
                return line_events.keep(connection, fresh, now)

        new = await self.write(keep) if fresh else 0
        self.counted[Taken.NEW] += new
        self.counted[Taken.REPEATED] += len(fresh) - new
        self._woken.set()

    async def run(self) -> None:
        """Handle what was kept, also what an earlier run of ours left."""
        while True:
            self._woken.clear()
            try:
                while await self.handle_next():
                    pass
            except StorageError as error:
                log.warning("what users of LINE wrote waits: %s", error)
            try:
                await asyncio.wait_for(self._woken.wait(), _POLL_SECONDS)
            except TimeoutError:
                continue

    async def handle_next(self) -> bool:
        """Handle the oldest event; False when none waits."""
        waiting = await asyncio.to_thread(self._look)
        if waiting is None:
            return False
        event = Event(kind="")
        try:
            event = event_of(waiting.body)
            answer = await self.write(partial(self._settle, event=event, waiting=waiting))
            replies = await self._carry_out(answer) if answer is not None else ()
        except StorageError:
            raise
        except Exception:  # a mistake of ours: the next event must not wait for it
            log.exception("an event of LINE could not be handled")
            replies = ()
        await self.write(partial(_mark, waiting=waiting, at=self.clock()))
        if replies and event.token:
            await self._reply(event.token, replies)
        return True

    def _look(self) -> Waiting | None:
        with self.readers.connect() as connection:
            return line_events.next_waiting(connection)

    # --- on the thread that owns the ledger ---

    def _settle(self, ledger: Ledger, event: Event, waiting: Waiting) -> _Answer | None:
        """Change what the event changes, and note that it was handled unless an alert is yet to be
        acknowledged; None where there is nothing to say.
        """
        now = self.clock()
        with ledger.transaction() as connection:
            answer = self._decide(ledger, connection, event, now)
            if answer is None or not answer.turn.acknowledge:
                line_events.handled(connection, waiting.position, now)
        return answer

    def _decide(
        self, ledger: Ledger, connection: Connection, event: Event, now: int
    ) -> _Answer | None:
        if event.kind == "join" and event.group:
            nobody = self._facts(connection, Subscriber(id="", made_at=now), now)
            return _Answer(nobody, Turn(), chat.joined(event.group, "th", self.zone))
        if not is_user(event.user):
            return None
        if event.group:
            return self._in_group(connection, event, now)
        if event.kind == "unfollow":
            _blocked(connection, event.user, now)
        return self._with_user(ledger, connection, event, now)

    def _with_user(
        self, ledger: Ledger, connection: Connection, event: Event, now: int
    ) -> _Answer | None:
        if event.kind not in {"follow", "message", "postback"}:
            return None
        known = subscribers.by_contact(connection, Channel.LINE, event.user)
        if known is None or event.kind == "follow":
            known = joining.follow(ledger, event.user, "th", now)
        facts = self._facts(connection, known, now)
        if event.kind == "follow":
            return _Answer(facts, Turn(), chat.welcome(self.zone))
        turn = (chat.typed if event.kind == "message" else chat.tapped)(facts, event.text)
        return self._changed(ledger, connection, event, facts, turn)

    def _in_group(self, connection: Connection, event: Event, now: int) -> _Answer | None:
        """A group is no place to chat; officers may take alerts on there."""
        if event.kind != "postback" or not event.text.startswith("acknowledge "):
            return None
        known = subscribers.by_contact(connection, Channel.LINE, event.user)
        facts = self._facts(connection, known or Subscriber(id="", made_at=now), now)
        turn = chat.tapped(facts, event.text)
        return _Answer(facts, turn, turn.replies)

    def _changed(
        self, ledger: Ledger, connection: Connection, event: Event, facts: Facts, turn: Turn
    ) -> _Answer:
        """The answer, once all that the turn asks of the ledger is done."""
        who, now = facts.subscriber, facts.now
        if turn.start:
            joining.follow(ledger, event.user, who.language, now)
        if turn.stop:
            joining.stop(ledger, who.id, by=joining.CHAT, at=now)
        if turn.change is not None:
            subscribers.change(ledger, who.id, turn.change, by=joining.CHAT, at=now)
        link = joining.link(ledger, turn.code, event.user, now) if turn.code else None
        known = subscribers.by_contact(connection, Channel.LINE, event.user)
        after, replies = self._facts(connection, known or who, now), list(turn.replies)
        if turn.start:
            replies += chat.started(after)
        if turn.code:
            replies += chat.linked(after, link.owner if link else None)
        return _Answer(after, turn, replies)

    def _facts(self, connection: Connection, who: Subscriber, now: int) -> Facts:
        return Facts(
            subscriber=who,
            places=places_of(registry.sites(connection)),
            now=now,
            zone=self.zone,
            officer=subscribers.officer_of(connection, who.id) is not None,
        )

    # --- beside it ---

    async def _carry_out(self, answer: _Answer) -> Sequence[Json]:
        """What takes longer, and all that is to be said."""
        facts, turn = answer.facts, answer.turn
        if turn.status:
            alerts = await asyncio.to_thread(self._alerts, facts.subscriber)
            return [*answer.replies, *chat.status(facts, alerts)]
        if turn.acknowledge:
            done = await self._acknowledge(facts.subscriber, turn.acknowledge)
            return chat.acknowledged(facts, done=done)
        return answer.replies

    def _alerts(self, who: Subscriber) -> list[Told]:
        """What fires now and somebody would be told of."""
        with queries.snapshot(self.readers) as connection:
            firing = AlertFilter(state=State.FIRING.value)
            rows = queries.alerts(connection, firing, limit=_MOST_ALERTS)
            found = told_of(connection, rows, self.rules())
        return [told for told in found if wants(who.subscriptions, told)]

    async def _acknowledge(self, who: Subscriber, alert: str) -> bool:
        """By the officer's key; whether the alert is acknowledged now."""
        with queries.snapshot(self.readers) as connection:
            officer = subscribers.officer_of(connection, who.id)
            row = queries.alert(connection, alert)
        if officer is None or row is None or row.resolved_at is not None:
            return False
        if row.acknowledged_at is not None and row.acknowledged_by == officer.owner:
            return True  # they tapped twice
        kind = ActionKind.ACKNOWLEDGE
        action = Action(kind=kind, alert=alert, by=officer.owner, key=officer.key)
        return await self.act(action) is not None

    async def _reply(self, token: str, replies: Sequence[Json]) -> None:
        try:
            await self.api.reply(token, replies)
        except DeliveryError as error:
            log.info("an answer in the chat of LINE did not arrive: %s", error.words)


def _events(body: bytes) -> list[dict[str, Any]]:
    """The events of a signed call; what is none is left out."""
    try:
        found = json.loads(body).get("events")
    except (AttributeError, ValueError, RecursionError):
        return []
    return [
        event
        for event in (found if isinstance(found, list) else [])
        if isinstance(event, dict) and isinstance(event.get("webhookEventId"), str)
    ]


def _is_old(event: Mapping[str, Any], now: int) -> bool:
    """Whether it is a call that somebody recorded and plays again."""
    context = event.get("deliveryContext")
    if isinstance(context, dict) and context.get("isRedelivery") is True:
        return False
    at = event.get("timestamp")
    return not isinstance(at, int) or abs(now - at * 1000) > OLDEST


def _blocked(connection: Connection, user: str, at: int) -> None:
    gone, words = SubscriberState.BLOCKED, "they blocked us"
    subscribers.mark_contact(
        connection, Channel.LINE, user, gone, by=joining.CHAT, at=at, words=words
    )


def _mark(ledger: Ledger, waiting: Waiting, at: int) -> None:
    with ledger.transaction() as connection:
        line_events.handled(connection, waiting.position, at)
