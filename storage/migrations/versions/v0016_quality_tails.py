"""What the tests of quality remember of many series is one row"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0010"


def upgrade() -> None:
    op.drop_column("latest", "state")
    op.create_table(
        "quality_tails",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block"),
    )
