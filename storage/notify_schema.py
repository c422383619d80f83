"""The ledger's tables of telling people. A change here comes with a migration."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    literal_column,
    text,
)

from storage.schema import metadata

# Constants within a statement: SQLite uses a partial index for no others.
DEAD: ColumnElement[str] = literal_column("'dead'")
LEASED: ColumnElement[str] = literal_column("'leased'")
WAITING: ColumnElement[str] = literal_column("'waiting'")
_OPEN = text("state IN ('waiting', 'leased')")
_WAITING = text("state = 'waiting'")
_DEAD = text("state = 'dead'")

# Alerts that are told of together (`core.groups.Group`); `labels` is JSON.
notify_groups = Table(
    "notify_groups",
    metadata,
    Column("key", Text, primary_key=True),
    Column("route", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("told_at", BigInteger),
    Index("notify_groups_by_due", "due_at"),
)

# The alerts of a group; `body` is JSON of `core.groups.Member`.
notify_members = Table(
    "notify_members",
    metadata,
    Column("group", Text, primary_key=True),
    Column("alert", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Index("notify_members_by_alert", "alert"),
    sqlite_with_rowid=False,
)

# What people are told; `body` is JSON of `core.notices.Notice`. `news_at` is when the oldest of its
# news was recorded; its receiver is told nothing more before `free_at`.
notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("made_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("token", Text, nullable=False),
    Column("news_at", BigInteger, nullable=False),
    Column("free_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("notices_by_receiver", "receiver", "free_at"),
    Index("notices_by_time", "made_at", "id"),
    Index("notices_by_token", "token", unique=True),
)

# Which alerts a notice tells of, and as what.
notice_alerts = Table(
    "notice_alerts",
    metadata,
    Column("alert", Text, primary_key=True),
    Column("notice", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Index("notice_alerts_by_notice", "notice"),
    sqlite_with_rowid=False,
)

# What is sent in one call; `id` is the key of every try, `position` the order of planning.
# `planned_for` is when it is due first, `due_at` when next.
parcels = Table(
    "parcels",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("planned_for", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger),
    Column("leased_by", Text),
    Column("first_tried_at", BigInteger),
    Column("settled_at", BigInteger),
    Column("words", Text, nullable=False, server_default=""),
    Column("reference", Text, nullable=False, server_default=""),
    Index("parcels_by_id", "id", unique=True),
    Index("parcels_by_notice", "notice"),
    Index("parcels_open", "channel", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sqlite_autoincrement=True,
)

# One row for each recipient and message; a parcel for one has the id of its delivery. `position`
# is that of the parcel in which it was planned; `deferred` says that it was put off then.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parcel", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subscriber", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("planned_for", BigInteger, nullable=False),
    Column("deferred", Boolean(create_constraint=False), nullable=False),
    Column("settled_at", BigInteger),
    Column("words", Text, nullable=False, server_default=""),
    Index("deliveries_by_parcel", "parcel"),
    Index("deliveries_by_position", "position", "id"),
    Index("deliveries_by_subscriber", "subscriber", "position"),
    Index(
        "deliveries_waiting",
        "channel",
        "address",
        "position",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
    Index("deliveries_dead", "channel", "address", sqlite_where=_DEAD, postgresql_where=_DEAD),
)

# What users of LINE did, as LINE told us (JSON of one event); the body goes when it is handled.
line_events = Table(
    "line_events",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("received_at", BigInteger, nullable=False),
    Column("handled_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("line_events_waiting", "position", sqlite_where=text("handled_at IS NULL")),
)
