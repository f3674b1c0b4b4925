"""A question in, a grounded answer out: quoted from the pages, written by a model from them, or refused."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from knowledge.documents import Answer, Citation, Delta, Mode, Turn
from knowledge.errors import LanguageModelFailed
from knowledge.models import ModelSettings, prepare, write
from knowledge.prompts import NOT_COVERED, messages
from knowledge.quoting import citation, quote
from knowledge.refusing import covered
from knowledge.retrieval import Found, Library, follow, hits

_SOURCES = 5
_NEAREST = 3
_HITS = 10
_MARKS = re.compile(r" ?\[(\d+)\]")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_LINK = re.compile(r"!?\[([^\]\d][^\]]*)\]\([^)]*\)")


class Answerer:
    """Answers from one library; without a model in the pages' own sentences."""

    def __init__(self, library: Library, model: ModelSettings | None = None) -> None:
        self._library = library
        self._model = model
        if model:
            prepare()

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        """Yield what is known of the answer so far, and at last the whole `Answer`."""
        started = time.monotonic()
        found = await asyncio.to_thread(self._library.find, question, history)
        if not covered(found):
            yield _answer(question, found, (refusal(found), ()), started)
            return
        note = ""
        if self._model:
            sources = [chunk for chunk, _ in found.chunks[:_SOURCES]]
            text = ""
            try:
                async with aclosing(write(self._model, messages(question, history, sources))) as texts:
                    async for text in texts:
                        if not NOT_COVERED.startswith(text.strip()):
                            yield Delta(_harmless(text))
            except LanguageModelFailed as error:
                note = f"{error}, so here is what the pages say.\n\n"
            else:
                yield _written(question, found, _harmless(text), started)
                return
        text, citations = await asyncio.to_thread(quote, follow(question, history), found)
        yield _answer(question, found, (note + text, citations), started)


def refusal(found: Found) -> str:
    """Return what says that the pages do not cover a question, with what comes nearest if it names anything at all."""
    if not found.terms:
        return "My pages do not cover that. Ask something like: what happens when a container crashes?"
    titles = dict.fromkeys(chunk.title for chunk, _ in found.chunks)
    return f"My pages do not cover that. Nearest: {', '.join(list(titles)[:_NEAREST])}."


def _written(question: str, found: Found, text: str, started: float) -> Answer:
    """Return a model's answer with the sources that it names; with all that it was given, if it names none."""
    if NOT_COVERED in text:
        return _answer(question, found, (refusal(found), ()), started)
    given = {n: chunk for n, (chunk, _) in enumerate(found.chunks[:_SOURCES], start=1)}
    text = _MARKS.sub(lambda mark: mark[0] if int(mark[1]) in given else "", text).strip()
    named = {int(n) for n in _MARKS.findall(text)} or given.keys()
    citations = tuple(citation(n, given[n], given[n].text) for n in sorted(named))
    return _answer(question, found, (text, citations), started, mode="model")


def _harmless(text: str) -> str:
    """Return a model's text without tags, links and addresses."""
    return _TAG.sub("", _LINK.sub(r"\1", text))


def _answer(
    question: str, found: Found, words: tuple[str, tuple[Citation, ...]], started: float, mode: Mode = "extractive"
) -> Answer:
    text, citations = words
    cited = {one.source for one in citations}
    demos = [chunk.demo for chunk, _ in found.chunks if chunk.source in cited and chunk.demo]
    return Answer(
        question=question,
        answer=text,
        mode=mode if citations else "refused",
        refused=not citations,
        citations=citations,
        hits=tuple(hits(found)[:_HITS]),
        demo=demos[0] if demos else None,
        seconds=round(time.monotonic() - started, 4),
    )
