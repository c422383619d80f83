"""What was sent, or still is to be, to somebody who stopped or who is to be forgotten."""

from sqlalchemy import Connection, select, update

from core.subscribers import Subscriber
from storage.notify_schema import deliveries, parcels

_P, _D = parcels.c, deliveries.c


def withdraw(connection: Connection, subscriber: str, at: int, words: str) -> None:
    """Send them nothing of what waits; what is under way this very moment may still arrive."""
    theirs = (_D.subscriber == subscriber, _D.state == "waiting")
    under_way = select(_P.id).where(_P.id == _D.parcel, _P.state == "leased").exists()
    dropped = {"state": "dropped", "settled_at": at, "words": words}
    statement = update(deliveries).where(*theirs, ~under_way).values(dropped)
    touched = set(connection.execute(statement.returning(_D.parcel)).scalars())
    left = select(_D.id).where(_D.parcel == _P.id, _D.state == "waiting").exists()
    for parcel in sorted(touched):
        empty = (_P.id == parcel, _P.state == "waiting", ~left)
        connection.execute(update(parcels).where(*empty).values(dropped))


def readdress(connection: Connection, before: Subscriber, after: Subscriber) -> None:
    """What waits for an address that is another one now goes there."""
    for contact in after.contacts:
        known = before.contact(contact.channel)
        if known is not None and known.address != contact.address:
            theirs = (_D.subscriber == after.id, _D.channel == contact.channel.value)
            waiting = update(deliveries).where(*theirs, _D.state == "waiting")
            connection.execute(waiting.values(address=contact.address))


def forget(connection: Connection, subscriber: str, at: int) -> None:
    """Leave of what was sent to them that something was sent, and when, but not to whom. The words
    of servers go as well: they may hold an address.
    """
    withdraw(connection, subscriber, at, "")
    theirs = select(_D.parcel).where(_D.subscriber == subscriber)
    connection.execute(update(parcels).where(_P.id.in_(theirs)).values(words=""))
    nobody = {"address": "", "subscriber": "", "words": ""}
    connection.execute(update(deliveries).where(_D.subscriber == subscriber).values(nobody))
