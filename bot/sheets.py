"""What all pictures share: the sheet of a card with its head, and a figure as PNG."""

import io
from typing import Any

from matplotlib.figure import Figure

from bot.palette import Palette
from bot.parts import Card

SIZE, DPI = (6.0, 4.5), 160  # 960 by 720 pixels; at 360 pixels the smallest words are still 9 high
WORDS = 11  # points
_TITLE = 14


def sheet(card: Card, palette: Palette) -> Figure:
    """An empty chart of a card: its title, its fault, and the label of a recorded run."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=palette.surface)
    title = f"{card.title}  fault: {card.fault}" if card.fault else card.title
    figure.text(0.012, 0.975, title, color=palette.ink, weight="bold", size=_TITLE, va="top")
    if card.recorded:
        figure.text(0.012, 0.905, card.recorded, color=palette.muted, size=WORDS, va="top")
    return figure


def png(figure: Figure, **how: Any) -> bytes:
    """The figure as PNG, the same bytes for the same figure; `how` is what `savefig` takes."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None}, **how)
    return drawn.getvalue()
