"""What alerts are judged to come from, and what officers found them to be"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("alerts", sa.Column("verdict", sa.Text(), nullable=False, server_default=""))
    op.add_column("alerts", sa.Column("verdict_body", sa.Text(), nullable=True))
    op.add_column("alerts", sa.Column("judge_at", sa.BigInteger(), nullable=True))
    op.create_index("alerts_by_judging", "alerts", ["judge_at"], unique=False)
    op.create_table(
        "alert_labels",
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert"),
    )
