"""Open alerts about the system itself, kept as those of all other rules"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0012"


def upgrade() -> None:
    table = sa.table("engine_state", sa.column("rule"), sa.column("subject"), sa.column("body"))
    of_system = table.c.rule.in_(["device-clock", "gateway-gap"])
    rows = op.get_bind().execute(sa.select(table).where(of_system)).all()
    for rule, subject, body in rows:
        since = json.loads(body)["since"]
        watch = {"state": "firing", "severity": 2, "since": since, "value": 1.0}
        watch |= {"measured_at": since, "heard_at": since}
        now = json.dumps({"version": "1", "site": "", "watch": watch})
        where = (table.c.rule == rule, table.c.subject == subject)
        op.execute(sa.update(table).where(*where).values(body=now))
