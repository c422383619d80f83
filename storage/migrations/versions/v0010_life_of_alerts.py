"""What officers do to alerts, marks of alerts, and how long nothing was heard"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("resumptions", sa.Column("since", sa.BigInteger(), nullable=True))
    op.execute("UPDATE resumptions SET since = at")  # how long it had been is not known any more
    for table in ("alerts", "transitions"):
        marks = sa.Column("marks", sa.Text(), nullable=False, server_default="")
        op.add_column(table, marks)
    for name, kind in (
        ("acknowledged_at", sa.BigInteger()),
        ("acknowledged_by", sa.Text()),
        ("assigned_to", sa.Text()),
        ("shelved_until", sa.BigInteger()),
    ):
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    op.create_table(
        "actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("actions_by_alert", "actions", ["alert", "id"], unique=False)
    _nest_watches()


def _nest_watches() -> None:
    """What a rule remembers of a subject is no longer its watch alone."""
    table = sa.table("engine_state", sa.column("rule"), sa.column("subject"), sa.column("body"))
    rows = op.get_bind().execute(sa.select(table.c.rule, table.c.subject, table.c.body)).all()
    for rule, subject, body in rows:
        kept: dict[str, Any] = json.loads(body)
        if "version" not in kept:  # of an alert about the system itself
            continue
        watch = {k: v for k, v in kept.items() if k not in {"version", "site", "received_at"}}
        watch |= {"heard_at": kept["received_at"]}
        now = {"version": kept["version"], "site": kept["site"], "watch": watch}
        where = (table.c.rule == rule, table.c.subject == subject)
        op.execute(sa.update(table).where(*where).values(body=json.dumps(now)))
