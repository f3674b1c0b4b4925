import pytest

from knowledge.documents import Chunk
from knowledge.keywords import Keywords, words

CHUNKS = [
    Chunk("a.md", "ConfigMaps", "ConfigMaps", "A ConfigMap holds settings for containers.", 0),
    Chunk("b.md", "Scaling", "Scaling > The autoscaler", "The HorizontalPodAutoscaler of Kubernetes adds pods.", 0),
    Chunk("c.md", "Rollouts", "Rollouts", "The field maxSurge limits a rollout of containers.", 0),
]


@pytest.fixture
def keywords() -> Keywords:
    return Keywords(CHUNKS, plain=frozenset({"price", "setting"}))


def test_joined_words_are_found_whole_and_in_parts() -> None:
    assert words("kube-proxy's ConfigMap") == ["kube-proxy", "kube", "proxy", "configmap", "config", "map"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what is a contianer", ["contain"]),
        ("kuberntes", ["kubernet"]),
        ("k8s hpa", ["kubernet", "horizont", "pod", "autoscal"]),
        ("max surge", ["max", "surg", "maxsurg"]),
        ("the price", ["price"]),
        ("podman", ["podman"]),
        ("how do I do that", []),
    ],
)
def test_questions_are_read_as_they_were_meant(keywords: Keywords, typed: str, meant: list[str]) -> None:
    assert keywords.terms(typed) == meant


@pytest.mark.parametrize(("question", "best"), [("settings", 0), ("horizontal pod autoscaler", 1), ("rollout", 2)])
def test_the_chunk_with_the_words_scores_best(keywords: Keywords, question: str, best: int) -> None:
    assert keywords.scores(keywords.terms(question)).argmax() == best


def test_words_that_occur_nowhere_score_nothing_and_are_the_rarest(keywords: Keywords) -> None:
    assert keywords.scores(["podman"]).tolist() == [0, 0, 0]
    assert keywords.idf("podman") > keywords.idf("maxsurg") > keywords.idf("contain")
