"""Another way to whom a message did not reach: by mail who blocked us in LINE, or when the month's
LINE messages are spent.

It runs within the transaction that records what came of the try.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts.planning import parcels
from alerts.subscribing import ways
from core.groups import Addressee
from core.notices import Channel, Parcel, Recipient
from core.subscribers import SubscriberState
from storage import rerouting, subscribers
from storage.rerouting import Stuck

_GONE = {Channel.EMAIL: SubscriberState.BOUNCED, Channel.LINE: SubscriberState.BLOCKED}


@dataclass(frozen=True, slots=True)
class Fallback:
    """Which `channels` are set up."""

    channels: Collection[Channel]

    def unreachable(self, connection: Connection, parcel: Parcel, words: str, at: int) -> None:
        """The one recipient of a parcel, which is given up, cannot be reached by its channel any
        more: a subscriber's contact is marked so, and all that is for them takes another way.
        """
        (recipient,) = parcel.recipients
        state = _GONE.get(parcel.channel)
        if state is None or not recipient.subscriber:
            return
        contact = (parcel.channel, recipient.address, state)
        subscribers.mark_contact(connection, *contact, by=subscribers.ANDAMAN, at=at, words=words)
        given_up = Stuck(parcel.id, "", parcel.notice.id, recipient.subscriber)
        waiting = rerouting.stuck(connection, parcel.channel, at, address=recipient.address)
        self._again(connection, [given_up, *waiting], parcel.channel, at)

    def spent(self, connection: Connection, channel: Channel, at: int) -> None:
        """The channel takes nothing for a while: whoever has another way is told by that one."""
        rerouting.note_spent(connection, channel, at)
        self._again(connection, rerouting.stuck(connection, channel, at), channel, at)

    def _again(self, connection: Connection, stuck: Iterable[Stuck], but: Channel, at: int) -> None:
        """Send the same notices by the best way that is left."""
        found = list(stuck)
        known = subscribers.those(connection, {one.subscriber for one in found})
        left = {one.id: [c for c in ways(one) if c.channel in self.channels] for one in known}
        languages = {one.id: one.language for one in known}
        for one in found:
            other = next((c for c in left.get(one.subscriber, ()) if c.channel is not but), None)
            if other is not None:
                recipient = Recipient(other.address, languages[one.subscriber], one.subscriber)
                sent = parcels([Addressee(other.channel, recipient, at)])
                rerouting.by_another_way(connection, one, list(sent))


NO_OTHER_WAY = Fallback(channels=())
