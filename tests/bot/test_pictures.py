"""A table that has no room as text can be read as a picture."""

import io

from matplotlib import image

from bot.parts import Cell, Table
from bot.pictures import draw
from bot.presenting import present_catalogue
from sandbox.demos import load_demos


def size(png: bytes) -> tuple[int, int]:
    height, width, _ = image.imread(io.BytesIO(png), format="png").shape
    return width, height


def test_the_catalogue_is_a_picture_that_grows_with_its_rows() -> None:
    catalogue = next(part for part in present_catalogue(load_demos()) if isinstance(part, Table))
    longer = Table(catalogue.header, (*catalogue.rows, *catalogue.rows))

    (width, height), (_, taller) = size(draw(catalogue)), size(draw(longer))

    assert 300 < width < 1500
    assert taller > height


def test_a_table_of_odd_cells_can_be_drawn() -> None:
    odd = Table(("", "x" * 200), ((Cell(r"$\frac$ and $5"), Cell("\u202e" + "y" * 90)), (Cell(""), Cell("7"))))

    assert draw(odd).startswith(b"\x89PNG")
