"""The ledger's tables. A change here comes with a migration in `storage/migrations/versions`.

Times are integer microseconds UTC. Readings are keyed time first: a batch then touches a few pages
at the end of the tree instead of one page for each series (decision record 003).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

gateways = Table(
    "gateways",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name_en", Text, nullable=False),
    Column("name_th", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default="file"),  # or api
)

# What is kept of the newest secret of each gateway.
credentials = Table(
    "credentials",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("bcrypt", Text, nullable=False),
    Column("pbkdf2", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_th", Text, nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("district", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

# `site` and `since` are those of its newest placement. `origin`: file, api, or auto (approved by
# what the file says of its gateway, at `made_at`).
devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

# Where each device has stood since when; a move adds a row.
placements = Table(
    "placements",
    metadata,
    Column("device", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("site", Text, nullable=False),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("device", Text, nullable=False),
    Column("parameter", Text, nullable=False),
    Column("born_at", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("device", "parameter"),
)

readings = Table(
    "readings",
    metadata,
    Column("measured_at", BigInteger, primary_key=True, autoincrement=False),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
    Column("flag", Integer, nullable=False),
    Column("tests", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The newest reading of each series by measured_at, whatever its flag.
latest = Table(
    "latest",
    metadata,
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("measured_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("flag", Integer, nullable=False),
    Column("tests", Integer, nullable=False),
)

# What the tests of quality remember (`ingest.quality.state`): of so many series together what moves
# with each reading, and of each series what moves with the hours.
quality_tails = Table(
    "quality_tails",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

quality_windows = Table(
    "quality_windows",
    metadata,
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# Each change of a stored reading's flag or tests; the first tells what they were on arrival.
revisions = Table(
    "revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series", Integer, nullable=False),
    Column("measured_at", BigInteger, nullable=False),
    Column("revised_at", BigInteger, nullable=False),
    Column("flag_before", Integer, nullable=False),
    Column("flag", Integer, nullable=False),
    Column("tests_before", Integer, nullable=False),
    Column("tests", Integer, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reference", Integer),
    Index("revisions_by_reading", "series", "measured_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("device", Text),  # of all its items, as it was named; NULL where that is not known
    # What became of it: None while it waits. `edited` is the payload that was taken in its place.
    Column("resolved_at", BigInteger),
    Column("resolution", Text),
    Column("resolved_by", Text),
    Column("note", Text),
    Column("edited", LargeBinary),
    Index("quarantine_by_message", "received_at", "topic"),
    Index("quarantine_by_resolution", "resolved_at", "id"),
    Index("quarantine_by_device", "device", "id"),
)

# What a rule remembers of a subject: JSON of its watch, and of what its kind needs.
engine_state = Table(
    "engine_state",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("fired_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("marks", Text, nullable=False, server_default=""),  # separated by blanks
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("assigned_to", Text),
    Column("shelved_until", BigInteger),
    Column("escalation", Integer, nullable=False, server_default="0"),  # levels reached
    Column("escalates_at", BigInteger),
    Column("verdict", Text, nullable=False, server_default=""),  # `core.verdicts.VerdictKind`
    Column("verdict_body", Text),  # JSON: cause, confidence, evidence
    Column("judge_at", BigInteger),
    Index("alerts_by_start", "started_at", "id"),
    Index("alerts_by_escalation", "escalates_at"),
    Index("alerts_by_judging", "judge_at"),
    Index("alerts_by_site", "site", "state"),
    Index("alerts_by_state", "state", "started_at"),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert", Text, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("marks", Text, nullable=False, server_default=""),
)

# Rules that were made by the API, as JSON; those of files are in no table.
own_rules = Table(
    "own_rules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

# What each rule said from when on; without a version it was not in force.
rule_versions = Table(
    "rule_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("meaning", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Index("rule_versions_by_rule", "rule", "id"),
)

# What each device was to the rules from the moment `at` on; without a site it was not registered.
units = Table(
    "units",
    metadata,
    Column("device", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("gateway", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("interval", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("here", BigInteger, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
)

# What officers did to alerts, at moments when nothing else happened.
actions = Table(
    "actions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("until", BigInteger),
    Column("to", Text, nullable=False),
    Index("actions_by_alert", "alert", "id"),
)

# What an officer found each alert to have been (`core.verdicts.Label`).
alert_labels = Table(
    "alert_labels",
    metadata,
    Column("alert", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Line protocol on its way to InfluxDB, one row for each batch.
outflow = Table(
    "outflow",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("points", Integer, nullable=False),
    Column("lines", LargeBinary, nullable=False),
    Index("outflow_by_points", "points"),  # the backlog is summed without reading the lines
    sqlite_autoincrement=True,
)

rejected_points = Table(
    "rejected_points",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rejected_at", BigInteger, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("words", Text, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

# Who changed what by hand: the id of the key, and what it was used for.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# When hearing resumed, and since when nothing could be heard: no timer counts what lies between
# (decision record 017).
resumptions = Table(
    "resumptions",
    metadata,
    Column("at", BigInteger, primary_key=True),
    Column("since", BigInteger),
)

# When the clock alone changed an alert: with the above all that a replay needs beside readings.
ticks = Table("ticks", metadata, Column("at", BigInteger, primary_key=True))

# What was said of each gateway, one row for each change; the newest is how it is.
statuses = Table(
    "statuses",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("online", Boolean(create_constraint=False), nullable=False),
    Column("firmware", Text),
    Column("since", BigInteger, nullable=False),
)

# How far each counter of a gateway is settled; `ahead` is JSON, a list of [first, last].
progress = Table(
    "progress",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("ahead", Text, nullable=False),
    Column("gap_since", BigInteger),
    Column("lost", BigInteger, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
)

# What officers want to hear nothing of, and until when. `matchers` is a JSON list of texts.
silences = Table(
    "silences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("warned_at", BigInteger),  # when its coming end was told
    Column("ended_at", BigInteger),  # when its end was told; NULL until then
    Column("ended_by", Text),  # the key that ended it early
    Index("silences_by_end", "ended_at", "ends_at"),
    sqlite_autoincrement=True,
)

# Maintenance windows made by the API; `body` is JSON of `alerts.maintenance.WindowEntry`.
maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

# Which transitions were held back, and by what (`core.muting.Mute`).
held_back = Table(
    "held_back",
    metadata,
    Column("transition", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Index("held_back_by_cause", "kind", "id", "transition"),
    sqlite_with_rowid=False,
)

# An officer's flag on what a device reports of some parameters (JSON list, empty for all), from
# `start` to before `end`; in force until it is undone.
annotations = Table(
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("flag", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("undone_at", BigInteger),
    Column("undone_by", Text),
)

# Work on devices; `end` is null while it goes on, `person` is who does it.
service_log = Table(
    "service_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Column("note", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("removed_at", BigInteger),
    Column("removed_by", Text),
)

# Stored readings that are looked at again: why, which, and how far that has come; `changes` is
# JSON, [flag before, flag after, readings] of each change.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("reference", Integer),
    Column("device", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("preview", Boolean(create_constraint=False), nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("changes", Text, nullable=False),
    Column("finished_at", BigInteger),
    Index("reviews_unfinished", "finished_at"),
)

# Who asked to be told, what of, when and how; times of day are minutes since midnight.
subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("digest", Integer),
    Column("digest_empty", Boolean, nullable=False),
    Column("critical_waits", Boolean, nullable=False),
    Column("muted_until", BigInteger),
    Column("first", Text, nullable=False),
    Column("consent_at", BigInteger),
    Column("consent_way", Text),
    Column("consent_text", Text),
    Column("made_at", BigInteger, nullable=False),
    Column("stopped_at", BigInteger),
    Column("officer_key", Text),
    Index("subscribers_by_start", "made_at", "id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("subscriber", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("words", Text, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscriber", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("severity", Integer, nullable=False),
)

# What somebody may do once who was told a word: the SHA-256 of the word, and what it is good for.
# `body` is what they asked for, as JSON; `key` the key of the officer who is to be linked.
one_time_words = Table(
    "one_time_words",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("subscriber", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
