"""A table that has no room as text can be read as a picture."""

import io
from dataclasses import replace

from matplotlib import image

from bot.parts import Cell, Table
from bot.pictures import draw


def size(png: bytes) -> tuple[int, int]:
    height, width, _ = image.imread(io.BytesIO(png), format="png").shape
    return width, height


def test_a_table_is_a_picture_that_grows_with_its_rows() -> None:
    rows = tuple((Cell(f"web-{n}"), Cell("Running", "good"), Cell("kubelet", "acted")) for n in range(3))
    table = Table(("Pod", "Phase", "Who acted"), rows, "Pods")
    longer = replace(table, rows=rows + rows)

    (width, height), (_, taller) = size(draw(table)), size(draw(longer))

    assert 300 < width < 1500
    assert taller > height


def test_a_table_of_odd_cells_can_be_drawn() -> None:
    odd = Table(("", "x" * 200), ((Cell(r"$\frac$ and $5"), Cell("\u202e" + "y" * 90)), (Cell(""), Cell("7"))))

    assert draw(odd).startswith(b"\x89PNG")
