"""The tables. Places are a platform's own strings: "platform:channel:message"."""

import sqlalchemy as sa

METADATA = sa.MetaData()

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),  # Unix time
)
ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
THREADS = sa.Table(
    "threads",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)
DEMOS = sa.Table(
    "demos",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
)
VERDICTS = sa.Table(
    "verdicts",
    METADATA,
    sa.Column("answer", sa.Text, primary_key=True),
    sa.Column("author", sa.Text, primary_key=True),
    sa.Column("helpful", sa.Boolean, nullable=False),
)

# In a file of their own, which every portside process of a data folder shares.
RUNS_METADATA = sa.MetaData()

RUNS = sa.Table(
    "runs",
    RUNS_METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("demo", sa.Text, nullable=False),
    sa.Column("fault", sa.Text),
    sa.Column("replicas", sa.Integer, nullable=False),
    sa.Column("at", sa.Text, nullable=False),  # ISO date and time, UTC
    sa.Column("engines", sa.JSON, nullable=False),  # the version of each
    sa.Column("headline", sa.Text, nullable=False),
    sa.Column("result", sa.JSON, nullable=False),  # the last line of the run
    sa.Index("newest", "demo", "fault", "number"),
    sqlite_autoincrement=True,  # a number is never given twice
)
SELFTESTS = sa.Table(
    "selftests",
    RUNS_METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("demo", sa.Text, nullable=False),
    sa.Column("fault", sa.Text),
    sa.Column("at", sa.Text, nullable=False),  # ISO date and time, UTC
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),  # how it differs from the lesson; nothing where it does not
    sa.Column("duration", sa.JSON, nullable=False),  # seconds: {"p50", "p95"}
    sa.Column("recovery", sa.JSON, nullable=False),  # the same for each engine, or null where it was not back
)
