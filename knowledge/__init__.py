"""Documents in, grounded answers out.

    from knowledge import CURRICULUM, ModelSettings, ingest_curriculum, ingest, open_library

    for event in ingest_curriculum(folder): ...            # Skipped | Progress | Ingested; instant when unchanged
    for event in ingest(folder, paths, collection): ...    # the same for anybody's Markdown
    with open_library(folder, CURRICULUM) as library:      # raises UnknownCollection; loads the model (about 0.5 s)
        hits: list[Hit] = library.search("restart policy")
        answerer = Answerer(library, model=ModelSettings(base_url, api_key, name) | None)
        async for value in answerer.answer("what if a host dies?", history=(Turn(question, answer),)):
            ...                                            # Delta (all text so far) ..., at last one Answer

`folder` is where the index is kept, for example `<PORTSIDE_DATA>/knowledge`. All but `answer` is synchronous and should
cross by `asyncio.to_thread`; importing this package is cheap, the heavy libraries load when a library is opened.
Every error is a `knowledge.errors.KnowledgeError`, whose text is a sentence for the learner.
`dataclasses.asdict` of a `Hit` or an `Answer` is the published JSON form (an answer's `qid` is added by the caller).
"""

from knowledge.answering import Answerer
from knowledge.documents import (
    Answer,
    Citation,
    Delta,
    Hit,
    Ingested,
    IngestEvent,
    Progress,
    Skipped,
    Turn,
)
from knowledge.ingest import CURRICULUM, ingest, ingest_curriculum
from knowledge.models import ModelSettings
from knowledge.retrieval import Library, open_library

__all__ = [
    "CURRICULUM",
    "Answer",
    "Answerer",
    "Citation",
    "Delta",
    "Hit",
    "IngestEvent",
    "Ingested",
    "Library",
    "ModelSettings",
    "Progress",
    "Skipped",
    "Turn",
    "ingest",
    "ingest_curriculum",
    "open_library",
]
