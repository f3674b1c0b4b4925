"""What is measured of every chat, as one table: the two platforms are told in the same words."""

from dataclasses import dataclass

from benchmarks.tables import percentile, table


@dataclass(frozen=True)
class Figures:
    """Times in milliseconds, `answered` in seconds; `refused` for each 1,000 edits; `grown` in MB for 1,000 threads."""

    acknowledged: list[float]
    seen: list[float]
    edits: float
    refused: float
    flood: list[float]
    answered: float
    grown: float

    def table(self, title: str) -> str:
        """Markdown."""
        rows = [
            ("event received to acknowledged, p50 / p95", _spread(self.acknowledged)),
            ("event received to first visible text, p50 / p95", _spread(self.seen)),
            ("edits for each of four demos of 40 s at once", f"{self.edits:.0f}"),
            ("429 for 1,000 edits", f"{self.refused:.0f}"),
            ("500 commands in 10 s from 100 people: acknowledged, p95", f"{percentile(self.flood, 95):.0f} ms"),
            ("the same: all have a visible reply after", f"{self.answered:.1f} s"),
            (f"memory of 1,000 open threads, with the tests' {title}", f"{self.grown:.0f} MB"),
        ]
        return table(title, ("figure", "measured"), rows)


def _spread(values: list[float]) -> str:
    return f"{percentile(values, 50):.0f} / {percentile(values, 95):.0f} ms"
