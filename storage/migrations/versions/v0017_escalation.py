"""How far alerts are escalated"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    level = sa.Column("escalation", sa.Integer(), nullable=False, server_default="0")
    op.add_column("alerts", level)
    op.add_column("alerts", sa.Column("escalates_at", sa.BigInteger(), nullable=True))
    op.create_index("alerts_by_escalation", "alerts", ["escalates_at"], unique=False)
