"""The last turns of each conversation, so that a follow-up is understood."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import replace

from bot.messages import Said
from knowledge import Turn

TURNS = 4
CONVERSATIONS = 1_000


class History:
    """Remembers a few turns of the conversations that were heard last; older ones are forgotten."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[Turn]] = OrderedDict()

    def of(self, conversation: str) -> Sequence[Turn]:
        """The last turns of a conversation, oldest first."""
        return tuple(self._turns.get(conversation, ()))

    def add(self, conversation: str, turn: Turn) -> None:
        """Remember one more turn."""
        self._turns.setdefault(conversation, deque(maxlen=TURNS)).append(turn)
        self._turns.move_to_end(conversation)
        if len(self._turns) > CONVERSATIONS:
            self._turns.popitem(last=False)


def turns(earlier: Sequence[Said]) -> Sequence[Turn]:
    """What was said in a thread as turns: what the tutor said answers what came before it."""
    found: list[Turn] = []
    for said in earlier:
        if said.ours and found and not found[-1].answer:
            found[-1] = replace(found[-1], answer=said.text)
        elif not said.ours:
            found.append(Turn(said.text, name=said.name))
    return tuple(found[-TURNS:])
