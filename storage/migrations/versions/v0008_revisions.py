"""What each test of quality said, what they remember, and what was revised"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("latest", sa.Column("state", sa.LargeBinary(), nullable=True))
    op.create_table(
        "quality_windows",
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("series"),
    )
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("revised_at", sa.BigInteger(), nullable=False),
        sa.Column("flag_before", sa.Integer(), nullable=False),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.Column("tests_before", sa.Integer(), nullable=False),
        sa.Column("tests", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("revisions_by_reading", "revisions", ["series", "measured_at"], unique=False)
    # There was one test, of the gross range, and one bit that said that it had failed. Now there
    # are two bits for each test: 1 good, 3 fail.
    op.execute("UPDATE readings SET tests = tests * 2 + 1")
    op.execute("UPDATE latest SET tests = tests * 2 + 1")
