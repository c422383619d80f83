"""How far each counter of a gateway is settled"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "progress",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("ahead", sa.Text(), nullable=False),
        sa.Column("gap_since", sa.BigInteger(), nullable=True),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "epoch"),
    )
