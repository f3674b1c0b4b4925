"""`portside ask`, `search` and `ingest`: questions, and the documents that answer them."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from bot.app import knowledge_folder, model, open_knowledge
from bot.cards import counted
from bot.citing import with_run
from bot.cli.printing import IngestBar, err, out, out_json
from bot.cli.running import DONE
from bot.commands import read
from bot.errors import BadMessage
from bot.parts import Reply
from bot.platforms.terminal.screen import Screen, open_screen
from bot.presenting import present_answer, present_growing
from bot.settings import Settings
from bot.state.runs import KeptRuns, Runs
from knowledge import Answer, Answerer, Delta, Ingested, Skipped, ingest
from knowledge.errors import BadQuestion
from sandbox.demos import load_demos

BATCH_FORM = '{"qid": "1", "question": "What is a pod?"}'


async def ask(settings: Settings, question: str, collection: str, as_json: bool) -> int:
    """Answer one question."""
    question = read(question)
    async with open_knowledge(settings, IngestBar(), collection) as library:
        answerer, runs = Answerer(library, model=model(settings)), KeptRuns(settings.data)
        if as_json:
            answer = await with_run(await answered(answerer, question), load_demos(), runs)
            out_json({"qid": None, **asdict(answer)})
        else:
            with open_screen(sys.stdout) as screen:
                await screen.until_quit(grown(answerer, question, screen, runs))
    return DONE


async def grown(answerer: Answerer, question: str, screen: Screen, runs: Runs) -> Reply:
    """Show an answer as it grows; an error is for the command to tell."""
    reply: Reply = ()
    async with aclosing(answerer.answer(question)) as values:
        async for value in values:
            match value:
                case Delta(text):
                    reply = tuple(present_growing(text))
                case Answer():
                    reply = await _whole(value, runs)
            await screen.show(reply, isinstance(value, Answer))
    return reply


async def _whole(answer: Answer, runs: Runs) -> Reply:
    demos = load_demos()
    return tuple(present_answer(await with_run(answer, demos, runs), demos))


async def answered(answerer: Answerer, question: str) -> Answer:
    """The whole answer to one question; what cannot be read as one is refused with the reason."""
    try:
        async with aclosing(answerer.answer(read(question))) as values:
            *_, answer = [value async for value in values]
    except (BadMessage, BadQuestion) as error:
        return Answer(question, str(error), "refused", refused=True, citations=(), hits=(), demo=None, seconds=0.0)
    assert isinstance(answer, Answer)  # noqa: S101 - an answer always ends with the whole of it
    return answer


async def ask_batch(settings: Settings, file: TextIO, collection: str) -> int:
    """Answer each line of a file, in its order, one JSON object a line: from the pages alone, so always alike."""
    questions = list(batch(file))
    async with open_knowledge(settings, IngestBar(), collection) as library:
        answerer = Answerer(library, model=model(settings))
        for qid, question in questions:
            out_json({"qid": qid, **asdict(await answered(answerer, question))})
    return DONE


def batch(file: TextIO) -> Iterator[tuple[Any, str]]:
    """The questions of a batch. Raises `BadMessage` with the number of the first line that is none."""
    try:
        lines = [(number, line) for number, line in enumerate(file, start=1) if line.strip()]
    except UnicodeDecodeError as error:
        raise BadMessage("The batch is not UTF-8 text. Save it as UTF-8, then try again.") from error
    for number, line in lines:
        try:
            row = json.loads(line)
            qid, question = row["qid"], row["question"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise not_a_question(number) from error
        if not isinstance(question, str):
            raise not_a_question(number)
        yield qid, question


def not_a_question(number: int) -> BadMessage:
    """What to say of a line that holds none."""
    return BadMessage(f"Line {number} of the batch is no question. Each line has the form {BATCH_FORM}.")


async def search(settings: Settings, words: str, collection: str, as_json: bool) -> int:
    """Find the pages that fit some words, best first."""
    words = read(words)
    async with open_knowledge(settings, IngestBar(), collection) as library:
        hits = await asyncio.to_thread(library.search, words)
    for hit in hits:
        if as_json:
            out_json(asdict(hit))
        else:
            out(f"{hit.score:.2f}  {hit.source}  {hit.heading}")
    return DONE


async def take_in(settings: Settings, paths: tuple[Path, ...], collection: str) -> int:
    """Ingest files and folders into a collection, naming on standard error what was skipped."""
    return await asyncio.to_thread(_take_in, settings, paths, collection)


def _take_in(settings: Settings, paths: tuple[Path, ...], collection: str) -> int:
    show = IngestBar()
    for event in ingest(knowledge_folder(settings), paths, collection):
        show(event)
        match event:
            case Skipped(source, reason):
                err(f"skipped {source}: {reason}")
            case Ingested(pages, embedded, unchanged, removed):
                found = f"{counted(pages, 'page')} in {collection}"
                out(f"{found}: {embedded} new or changed, {unchanged} as before, {removed} gone.")
    return DONE
