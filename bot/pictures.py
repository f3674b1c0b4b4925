"""A table as a picture, for where a chat has no room for its columns; its text twin is the chat's own to write."""

import textwrap

from matplotlib.figure import Figure

from bot.markdown import unmarked
from bot.palette import LIGHT, Palette
from bot.parts import Table
from bot.sheets import DPI, png

WIDEST = 32  # characters in a line of a cell
_FONT, _LINE = 11, 0.23  # points; inches for each line of a cell


def draw(part: Table, palette: Palette = LIGHT) -> bytes:
    """The PNG of a table, long cells on several lines. Takes a good part of a second: call it beside the event loop."""
    part = unmarked(part)
    header = [_wrapped(text) for text in part.header]
    rows = [[_wrapped(cell.text) for cell in row] for row in part.rows]
    lines = [1 + max(text.count("\n") for text in row) for row in (header, *rows)]
    figure = Figure(figsize=(8, _LINE * sum(lines) + 1), dpi=DPI, facecolor=palette.surface)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    drawn = axis.table(cellText=rows, colLabels=header, cellLoc="left", loc="center", edges="horizontal")
    drawn.auto_set_font_size(value=False)
    drawn.set_fontsize(_FONT)
    drawn.auto_set_column_width(range(len(header)))
    for (number, _), cell in drawn.get_celld().items():
        cell.set_height((_LINE * lines[number] + 0.12) / figure.get_figheight())
        cell.set_edgecolor(palette.edge)
        cell.set_text_props(color=palette.ink, weight="bold" if number == 0 else "normal", parse_math=False)
    return png(figure, bbox_inches="tight", pad_inches=0.15)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDEST)) or " "
