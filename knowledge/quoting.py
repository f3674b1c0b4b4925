"""Chunks in, an answer in the pages' own words out: the sentences and list items that answer, in reading order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.documents import Chunk, Citation
from knowledge.keywords import stems
from knowledge.ranking import Scored
from knowledge.reading import Unit, units
from knowledge.retrieval import Found, compared

# Characters: of an answer, of a section that is quoted whole, of what a further section may add, of a piece of code.
BUDGET = 1200
_WHOLE, _FURTHER, _LEAST, _LONGEST_CODE = 950, 450, 150, 420
_MOST_EXCERPTS, _MOST_UNITS, _LIST_ITEMS, _LOOKED_AT = 3, 4, 3, 8
# A section whose score is close to the best one's is quoted like it, a near one in those units that say enough;
# an item of a list that was not asked for whole has to say this part of what the best one says.
_CLOSE, _NEAR, _TELLING, _PART = 0.88, 0.62, 0.3, 0.5
_FOR_LIST = 0.2
_LIST = re.compile(
    r"\b(what are|which|list|name|how many|all|every|types?|kinds?|ways|reasons|steps|things|differences|parts|phases"
    r"|states|limits|limitations|gains|features|advantages|benefits|drawbacks|options|policies|components|problems)\b",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"\b(how (do|can|to|would|should)|commands?|type|yaml|example|show|flags?|run|syntax|write)\b", re.IGNORECASE
)
# Words that point to a piece of code of the page, unlike `above its limit`.
_POINTS = re.compile(
    r"\b(?:above|below) (?!(?:its?|the|an?|what|\d|`))[a-z]|\b(?:of|in) (?:this|the next|these) outputs?\b",
    re.IGNORECASE,
)
_SHOWN = ("code", "table")  # units that carry no mark: it stands with their words
_LEANS = re.compile(r"^(It|Its|This|That|These|Those|They|Their|So|But|And|Then|Both|Such|He|She|In that case)\b")


@dataclass(frozen=True)
class Excerpt:
    """The units that are quoted from one chunk."""

    chunk: Chunk
    units: tuple[Unit, ...]

    @property
    def size(self) -> int:
        """Return how many characters are quoted."""
        return sum(len(unit.text) + 1 for unit in self.units)


def quote(question: str, found: Found) -> tuple[str, tuple[Citation, ...]]:
    """Return the answer's text with its `[n]` marks, and the citations that these refer to."""
    excerpts = list(_excerpts(question, found))
    texts: list[str] = []
    citations: list[Citation] = []
    numbers: dict[tuple[str, str], int] = {}
    for excerpt in excerpts:
        place = (excerpt.chunk.source, excerpt.chunk.heading)
        number = numbers.setdefault(place, len(numbers) + 1)
        texts.append(_render(excerpt.units, f" [{number}]"))
        words = _render(excerpt.units, "")
        if number > len(citations):
            citations.append(citation(number, excerpt.chunk, words))
        else:
            citations[number - 1] = replace(citations[number - 1], text=f"{citations[number - 1].text}\n\n{words}")
    return "\n\n".join(texts), tuple(citations)


def citation(number: int, chunk: Chunk, words: str) -> Citation:
    """Return the citation of some words of a chunk."""
    return Citation(number, chunk.title, chunk.source, chunk.heading, chunk.url, words)


def _excerpts(question: str, found: Found) -> Iterator[Excerpt]:
    """Yield what is quoted: the best section as far as it answers, then what others add."""
    wants_list, wants_code = bool(_LIST.search(question)), bool(_SHOW.search(question))
    ranked = _listed_first(found) if wants_list else list(found.chunks)
    left, taken = BUDGET, set[str]()
    for number, (chunk, close) in enumerate(_worth(ranked, found)):
        room = left if not number or (close and wants_list) else min(left, _FURTHER)
        picked = _pick(_readable(chunk, wants_code), found, room, whole=close, listed=wants_list)
        fresh = tuple(_led([unit for unit in picked if unit.text not in taken]))
        if not fresh:
            continue
        excerpt = Excerpt(chunk, fresh)
        taken.update(unit.text for unit in fresh)
        left -= excerpt.size
        yield excerpt
        if left < _LEAST:
            return


def _worth(ranked: Sequence[tuple[Chunk, Scored]], found: Found) -> list[tuple[Chunk, bool]]:
    """Return the chunks to quote from, and whether each is as good as the best; a comparison needs both sides."""
    top = ranked[0][1].score
    best = [
        (chunk, scored.score >= _CLOSE * top) for chunk, scored in ranked[:_MOST_EXCERPTS] if scored.score > _NEAR * top
    ]
    for side in compared(found.terms):
        if not any(side in stems(f"{chunk.heading} {chunk.text}") for chunk, _ in best[:2]):
            best[1:1] = [(chunk, True) for chunk, one in ranked if side in found.index.body(one.at)][:1]
    return best[:_MOST_EXCERPTS]


def _listed_first(found: Found) -> list[tuple[Chunk, Scored]]:
    """Return the chunks with those first whose list is what was asked for."""

    def fit(pair: tuple[Chunk, Scored]) -> float:
        chunk, scored = pair
        items = sum(unit.kind == "item" for unit in units(chunk.text))
        above = found.index.around(scored.at) | frozenset(stems(chunk.text.split("\n- ")[0].split("\n1. ")[0]))
        return scored.score + (_FOR_LIST * found.index.coverage(found.terms, above) if items >= _LIST_ITEMS else 0.0)

    return sorted(found.chunks[:_LOOKED_AT], key=fit, reverse=True) + list(found.chunks[_LOOKED_AT:])


def _readable(chunk: Chunk, wants_code: bool) -> list[Unit]:
    """Return the units of a chunk that a reply can hold: without code that is not wanted, nor what points to it."""
    whole = units(chunk.text)
    shown = {unit: _short(unit) for unit in whole if unit.kind == "code"} if wants_code else {}
    cut = any(unit.kind == "code" and shown.get(unit) is not unit for unit in whole)
    left = [unit for unit in whole if unit.kind != "sentence" or not (cut and _POINTS.search(unit.text))]
    return [shown.get(unit) or unit for unit in left if unit.kind != "code" or shown.get(unit)]


def _short(code: Unit) -> Unit | None:
    """Return code that fits a reply: whole, or its commands without what they print; None if even these do not fit."""
    if len(code.text) <= _LONGEST_CODE:
        return code
    fence, *lines = code.text.splitlines()
    commands = [f"{line}\n..." for line in lines if line.startswith("$ ")]
    text = "\n".join([fence, *commands, lines[-1]])
    return replace(code, text=text) if commands and len(text) <= _LONGEST_CODE else None


def _pick(choice: Sequence[Unit], found: Found, room: int, *, whole: bool, listed: bool) -> list[Unit]:
    """Return the units that answer, in reading order and within the room."""
    if whole and sum(len(unit.text) + 1 for unit in choice) <= (room if listed else min(room, _WHOLE)):
        return list(choice)
    worth = [_worth_of(unit, found, listed) for unit in choice]
    enough = 0.0 if listed else _PART * max(worth, default=0.0)
    picked: set[int] = set()
    for at in sorted(range(len(choice)), key=lambda place: -worth[place]):
        if worth[at] < (enough if choice[at].kind == "item" else 0.0) or (not whole and worth[at] < _TELLING):
            continue
        bound = {at} | _needed(choice, at)
        size = sum(len(choice[place].text) + 1 for place in picked | bound)
        if size <= room:
            picked |= bound
        if not whole and len(picked) >= _MOST_UNITS:
            break
    return [choice[place] for place in sorted(picked)]


def _led(picked: Sequence[Unit]) -> Iterator[Unit]:
    """Yield the picked units without those that lead to something which was left out."""
    blocks = {unit.block for unit in picked}
    for unit in picked:
        if not unit.lead or unit.block + 1 in blocks:
            yield unit


def _worth_of(unit: Unit, found: Found, listed: bool) -> float:
    """Return how much a unit says about the question."""
    share = found.index.coverage(found.terms, frozenset(stems(unit.text)))
    lead = 0.25 if unit.block == 0 else 0.0
    return share + lead + (0.5 if listed and unit.kind == "item" else 0.0) - (0.3 if unit.kind == "code" else 0.0)


def _needed(choice: Sequence[Unit], at: int) -> set[int]:
    """Return the units without which one cannot be read: what introduces it, what its first word points to."""
    unit = choice[at]
    if at and unit.kind != "sentence" and choice[at - 1].kind == "sentence":
        return {at - 1}
    if unit.kind == "item":
        first = next(place for place, other in enumerate(choice) if other.block == unit.block)
        return {first - 1} if first and choice[first - 1].lead else set()
    if at and _LEANS.match(unit.text) and choice[at - 1].kind == "sentence":
        return {at - 1}
    return set()


def _render(quoted: Sequence[Unit], mark: str) -> str:
    """Return units as text, with the mark at the end of each block of prose; of a lead only if it leads to no prose."""
    blocks: dict[int, list[Unit]] = {}
    for unit in quoted:
        blocks.setdefault(unit.block, []).append(unit)
    prose = sum(members[0].kind not in _SHOWN for members in blocks.values())
    texts = []
    for members in blocks.values():
        joint = " " if members[0].kind == "sentence" else "\n"
        text = joint.join(unit.text for unit in members)
        bare = members[0].kind in _SHOWN or (text.endswith(":") and prose > 1)
        texts.append(text if bare else f"{text}{mark}")
    rendered = "\n\n".join(texts)
    return rendered if mark in rendered else f"{rendered}\n\n{mark.strip()}"
