"""`make bench`: measure everything, print the tables, and keep them in benchmarks/results.md."""

from datetime import UTC, datetime
from pathlib import Path

from benchmarks import answers, serving, slack

RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Measure, print and keep."""
    head = f"# Measured on {datetime.now(UTC).date()}\n\nBy `make bench`, on one machine with whatever else it did.\n"
    RESULTS.write_text(report := f"{head}\n{answers.measure()}\n{serving.measure()}\n{slack.measure()}")
    print(report)  # noqa: T201 - a report is what this command is for


if __name__ == "__main__":
    main()
