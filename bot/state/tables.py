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
