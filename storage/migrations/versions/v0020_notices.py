"""What people are told: groups of alerts, notices, parcels and deliveries"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_OPEN = sa.text("state IN ('waiting', 'leased')")
_WAITING = sa.text("state = 'waiting'")
_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    op.create_table(
        "notify_groups",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("notify_groups_by_due", "notify_groups", ["due_at"], unique=False)
    op.create_table(
        "notify_members",
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("group", "alert"),
        sqlite_with_rowid=False,
    )
    op.create_index("notify_members_by_alert", "notify_members", ["alert"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("news_at", sa.BigInteger(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_by_receiver", "notices", ["receiver", "free_at"], unique=False)
    op.create_index("notices_by_time", "notices", ["made_at", "id"], unique=False)
    op.create_index("notices_by_token", "notices", ["token"], unique=True)
    op.create_table(
        "notice_alerts",
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert", "notice"),
        sqlite_with_rowid=False,
    )
    op.create_index("notice_alerts_by_notice", "notice_alerts", ["notice"], unique=False)
    op.create_table(
        "parcels",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("planned_for", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("first_tried_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("parcels_by_id", "parcels", ["id"], unique=True)
    op.create_index("parcels_by_notice", "parcels", ["notice"], unique=False)
    op.create_index(
        "parcels_open", "parcels", ["channel", "due_at"], unique=False, sqlite_where=_OPEN
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parcel", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("planned_for", sa.BigInteger(), nullable=False),
        sa.Column("deferred", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("deliveries_by_parcel", "deliveries", ["parcel"], unique=False)
    op.create_index("deliveries_by_position", "deliveries", ["position", "id"], unique=False)
    op.create_index(
        "deliveries_by_subscriber", "deliveries", ["subscriber", "position"], unique=False
    )
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["channel", "address", "position"],
        unique=False,
        sqlite_where=_WAITING,
    )
    op.create_index(
        "deliveries_dead",
        "deliveries",
        ["channel", "address"],
        unique=False,
        sqlite_where=_DEAD,
    )
