"""The ticks that changed an alert"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "ticks",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
