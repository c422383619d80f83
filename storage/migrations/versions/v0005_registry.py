"""A registry that is not only in files: where devices have stood, and who made what"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("sites", sa.Column("origin", sa.Text(), nullable=False, server_default="file"))
    op.add_column(
        "series", sa.Column("born_at", sa.BigInteger(), nullable=False, server_default="0")
    )
    old = sa.table("devices", sa.column("id"), sa.column("since"), sa.column("site"))
    stood = op.get_bind().execute(sa.select(old.c.id, old.c.since, old.c.site)).all()
    op.drop_table("devices")  # all of them come from the files, which are read at each start
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    placements = op.create_table(
        "placements",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device", "since"),
    )
    rows = [{"device": d, "since": _micros(since), "site": site} for d, since, site in stood]
    op.bulk_insert(placements, rows)


def _micros(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000
