"""What a room is asked before each demo, and how the run answers: held against the recordings that ship."""

import pytest

from sandbox.demos import load_demos
from sandbox.events import Engine, Result
from sandbox.replaying import read, shipped

DEMOS = load_demos()
LONGEST_QUESTION, LONGEST_GUESS = 56, 18  # what fits beside the time that is left, and a button on a phone
MEASURED = {
    "matrix": ("2 of 4", "4 of 4"),
    "scale": ("1 of 5", "5 of 5"),
    "storage": ("own layer gone, named volume there", "emptyDir gone, PersistentVolumeClaim there"),
    "schedule": ("running", "pending"),
}


def measured(name: str) -> tuple[str, ...]:
    path = shipped()[f"{name}-{DEMOS[name].faults[0]}" if DEMOS[name].faults else name]
    result = read(path, DEMOS).events[-1]
    assert isinstance(result, Result)
    return tuple(DEMOS[name].prediction.measured(result, engine) for engine in Engine)


@pytest.mark.parametrize("name", DEMOS)
def test_a_question_and_its_guesses_fit_where_they_are_shown(name: str) -> None:
    asked = DEMOS[name].prediction

    assert len(asked.question) <= LONGEST_QUESTION
    assert asked.question.endswith("?")
    assert len(set(asked.guesses)) == 3
    assert max(map(len, asked.guesses)) <= LONGEST_GUESS


@pytest.mark.parametrize("name", DEMOS)
def test_a_recorded_run_answers_the_question_for_both_engines(name: str) -> None:
    docker, kubernetes = measured(name)

    assert docker
    assert kubernetes
    assert (docker, kubernetes) == MEASURED.get(name, (docker, kubernetes))
