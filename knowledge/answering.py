"""A question in, a grounded answer out: quoted from the pages, written by a model, or refused."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from knowledge.documents import Answer, Delta, Turn
from knowledge.retrieval import Library


@dataclass(frozen=True)
class ModelSettings:
    """Any OpenAI-compatible endpoint."""

    base_url: str | None
    api_key: str = field(repr=False)
    name: str
    timeout: float = 30.0


class Answerer:
    """Answers from one library; without a model in the pages' own sentences."""

    def __init__(self, library: Library, model: ModelSettings | None = None) -> None:
        self._library = library
        self._model = model

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        """Yield what is known of the answer so far, and at last the whole `Answer`."""
        yield Delta(question)
        hits = tuple(self._library.search(question))
        yield Answer(question, question, "refused", True, (), hits, None, float(len(history)))
