"""What a question wants explained, and what a text explains. Pure.

Both are told as the bare name of the thing, so that `config maps` and `A ConfigMap` are the same.
"""

import re

from knowledge.keywords import stem, words
from knowledge.reading import units
from knowledge.wording import SIDES, STOPWORDS

_ASKS = re.compile(
    r"^\W*(?:\w+ )?(?:what(?:['\u2019]?s| is| are| do| does)|wat is|define|describe|explain|meaning of)\b",
    re.IGNORECASE,
)
_SHORT = 2
# What a sentence may say of a thing to explain it, and what one at the head of a section may say besides.
_MEANS = r"is|are|means?"
_OPENS = rf"{_MEANS}|holds|keeps|runs|says|tells|limits|packs|decides|chooses"
_SUBJECT = r"^([^,.;:]{{2,60}}?) (?:{}) (?!not\b|never\b)"
_ASIDE = re.compile(r"\s*\([^)]*\)")
_PIECE = re.compile(r"(?<!['\u2019])[a-z0-9]+")


def wanted(question: str) -> str:
    """Return the name of what a question wants explained (`what is a pod in kubernetes`: the pod), or nothing."""
    return _name(question) if _ASKS.match(question) or len(words(question)) <= _SHORT else ""


def explained(text: str) -> frozenset[str]:
    """Return the names of the things that a sentence of a text says the meaning of."""
    said = [(unit.text, _MEANS if unit.block else _OPENS) for unit in units(text) if unit.kind == "sentence"]
    subjects = [found[1] for line, verbs in said if (found := re.match(_SUBJECT.format(verbs), line))]
    return frozenset(_name(_ASIDE.sub("", subject)) for subject in subjects)


def _name(text: str) -> str:
    """Return the words that carry meaning as one, without the side that they speak of unless that is all."""
    said = [word for word in _PIECE.findall(text.lower()) if word not in STOPWORDS]
    return stem("".join([word for word in said if word not in SIDES] or said))
