"""The colours of pictures, light and dark; every meaning has a shape or a word besides."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """What each thing is drawn in."""

    surface: str
    ink: str
    muted: str
    edge: str
    rule: str
    good: str
    failed: str
    acted: str


LIGHT = Palette("#F8FAF9", "#13232C", "#4A5C65", "#6F8088", "#C9D3D3", "#0A6B61", "#B0301C", "#5A3EA6")
DARK = Palette("#131F27", "#E3ECEC", "#9FB2B8", "#728790", "#2A3A43", "#5CC9B3", "#FF8C73", "#BBA6FF")
