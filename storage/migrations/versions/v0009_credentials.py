"""Gateways that no file names, and what is kept of gateways' secrets"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("gateways", sa.Column("origin", sa.Text(), server_default="file", nullable=False))
    op.create_table(
        "credentials",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("bcrypt", sa.Text(), nullable=False),
        sa.Column("pbkdf2", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("gateway"),
    )
