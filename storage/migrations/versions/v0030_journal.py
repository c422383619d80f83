"""What devices were to the rules, and what rules meant, from when on"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0020"


def upgrade() -> None:
    meaning = sa.Column("meaning", sa.Text(), nullable=False, server_default="")
    op.add_column("rule_versions", meaning)
    op.create_table(
        "units",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("interval", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("here", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "at"),
    )
    # How often each should report is in files, so the next start says it.
    op.execute(
        "INSERT INTO units (device, at, gateway, site, kind, district, interval, since, here) "
        "SELECT d.id, 0, d.gateway, d.site, s.kind, s.district, 0, "
        "max((SELECT MIN(p.since) FROM placements p WHERE p.device = d.id), d.made_at), "
        "CASE WHEN (SELECT COUNT(*) FROM placements p WHERE p.device = d.id) > 1 THEN d.since "
        "ELSE -4611686018427387904 END FROM devices d JOIN sites s ON s.id = d.site"
    )
