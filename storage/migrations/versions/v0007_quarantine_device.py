"""Of which device a quarantined item is"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"

# Until now only these details told it.
_ENDINGS = (" is not in devices.yaml", " belongs to another gateway")
_LONGEST_NAME = 64


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("device", sa.Text(), nullable=True))
    quarantine = sa.table("quarantine", sa.column("device"), sa.column("detail"))
    detail = quarantine.c.detail
    for ending in _ENDINGS:
        told = detail.like(f"%{ending}"), sa.func.length(detail) <= _LONGEST_NAME + len(ending)
        named = sa.func.replace(detail, ending, "")
        op.execute(sa.update(quarantine).where(*told).values(device=named))
    op.create_index("quarantine_by_device", "quarantine", ["device", "id"], unique=False)
