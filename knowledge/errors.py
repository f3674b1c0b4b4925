"""Everything that can go wrong between documents and answers.

KnowledgeError
├── BadQuestion          the question itself cannot be answered: empty, too long, not text
├── UnknownCollection    nothing was ingested under that name
├── StoreUnusable        the data folder cannot be read or written, or another process holds it too long
├── NothingToIngest      a path does not exist, or no readable page is in it
├── UnreadablePage       one file cannot be taken in; the ingest goes on and names it
├── ModelDamaged         the embedding model's files are not the ones that were committed
└── LanguageModelFailed  the OpenAI-compatible endpoint gave no answer

Each carries one sentence fit for a learner: what is wrong and what to do.
"""


class KnowledgeError(Exception):
    """The root of all errors of this package."""


class BadQuestion(KnowledgeError):
    """The question is empty, too long or not text."""


class UnknownCollection(KnowledgeError):
    """No collection of that name was ingested; `nearest` are the names that come close."""

    def __init__(self, name: str, nearest: tuple[str, ...]) -> None:
        self.name = name
        self.nearest = nearest
        known = f" Did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(
            f"There is no collection called {name!r}.{known} Make it with: portside ingest PATH --collection {name}"
        )


class StoreUnusable(KnowledgeError):
    """The folder that keeps the index cannot be used."""


class NothingToIngest(KnowledgeError):
    """A path holds no page that can be read."""


class UnreadablePage(KnowledgeError):
    """One file cannot be taken in; the text is the reason alone, such as `it is not UTF-8 text`."""


class ModelDamaged(KnowledgeError):
    """A file of the embedding model is missing or differs from its checksum."""


class LanguageModelFailed(KnowledgeError):
    """The configured language model did not answer."""
