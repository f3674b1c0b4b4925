"""The last turns of each conversation, so that a follow-up is understood."""

from collections import OrderedDict, deque
from collections.abc import Sequence

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
