"""`make bench`: measure everything, print the tables, and keep them in benchmarks/results.md."""

import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import answers, demos, discord, serving, slack

RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Measure, print and keep."""
    head = f"# Measured on {datetime.now(UTC).date()}\n\nBy `make bench`, on one machine with whatever else it did.\n"
    with redirect_stdout(sys.stderr):  # what is measured speaks too; standard output is the report alone
        tables = [measured.measure() for measured in (answers, serving, demos, slack.CHAT, discord.CHAT)]
    RESULTS.write_text(report := "\n".join([head, *tables]))
    print(report)  # noqa: T201 - a report is what this command is for


if __name__ == "__main__":
    main()
