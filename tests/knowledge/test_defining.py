import pytest

from knowledge.defining import explained, wanted


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("What is a pod?", "pod"),
        ("so what's a config map in kubernetes", "configmap"),
        ("explain self-healing", "selfheal"),
        ("what is docker", "docker"),
        ("what does the scheduler do", "schedul"),
        ("sidecars", "sidecar"),
        ("how do pods find each other", ""),
        ("what restart policies are there", ""),
    ],
)
def test_what_a_question_wants_explained_is_the_bare_name_of_the_thing(question: str, thing: str) -> None:
    assert wanted(question) == thing


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("A ConfigMap holds settings as keys and values.", {"configmap"}),
        ("Pods end. A PersistentVolume (PV) is a piece of storage.", {"persistentvolum"}),
        ("A Deployment keeps pods.\n\nA Service keeps an address.", {"deploy"}),
        ("Kubernetes is not a container runtime.", set()),
        ("```\nA pod is code\n```", set()),
    ],
)
def test_a_text_explains_what_its_sentences_say_the_meaning_of(text: str, things: set[str]) -> None:
    assert explained(text) == things
