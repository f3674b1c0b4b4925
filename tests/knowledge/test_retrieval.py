import pytest

from knowledge import Library, Turn
from knowledge.errors import BadQuestion
from knowledge.retrieval import follow


def test_hits_are_pages_each_once_best_first_with_falling_scores(library: Library) -> None:
    hits = library.search("what happens to a container when its host dies?")

    scores = [hit.score for hit in hits]
    assert len({hit.source for hit in hits}) == len(hits) == 4
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("does docker restrat a crashed contianer", "docker/restart-policies.md"),
        ("what if a k8s node is lost or dies", "kubernetes/self-healing.md"),
        ("PVC", "kubernetes/storage.md"),
        ("is docker data moved to another machine", "docker/volumes.md"),
    ],
)
def test_learners_words_find_the_page(library: Library, question: str, source: str) -> None:
    assert library.search(question)[0].source == source


def test_a_comparison_finds_both_sides(library: Library) -> None:
    best = {hit.source.partition("/")[0] for hit in library.search("docker or k8s when a container crashes")[:2]}

    assert best == {"docker", "kubernetes"}


@pytest.mark.parametrize(
    ("question", "history", "asked"),
    [
        ("what is a pod?", ["how do volumes work?"], "what is a pod?"),
        ("and in Kubernetes?", ["does docker restart it?"], "does restart it? and in Kubernetes?"),
        ("why?", ["does it move?"], "does it move? why?"),
        ("how long does that take?", ["what if a node dies?"], "what if a node dies? how long does that take?"),
        ("and then?", [], "and then?"),
        ("ok thanks!", ["what if a node dies?"], "ok thanks!"),
    ],
)
def test_a_follow_up_is_asked_with_what_it_follows(question: str, history: list[str], asked: str) -> None:
    assert follow(question, [Turn(before) for before in history]) == asked


@pytest.mark.parametrize("question", ["", "  \n ", "?!", "x" * 100_000, "a\x00b", "\ufffd\ufffd pods", "pods \udcff"])
def test_what_is_no_question_is_refused_in_a_sentence(library: Library, question: str) -> None:
    with pytest.raises(BadQuestion, match=r"^The question is .*\."):
        library.search(question)


def test_words_in_another_script_find_something_or_nothing_but_do_no_harm(library: Library) -> None:
    assert len(library.search("что такое под?")) <= 4
