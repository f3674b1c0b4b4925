"""Whether something was asked: a tutor that nobody called by name speaks only then. Pure."""

import re

_ASKS = re.compile(
    r"\b(how|what|whats|why|when|where|which|who|whose|can|could|does|do|did|is|are|should|would|will|has|have|am)\b",
    re.IGNORECASE,
)
_PROBLEM = re.compile(
    r"\b(error|fails?|failed|failing|stuck|crash\w*|not work\w*|doesn'?t work|can'?t|cannot|unable|refused|denied|"
    r"help|any(one|body) know)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_SHORTEST = 3  # words


def is_question(text: str) -> bool:
    """Say whether a message asks for something: by its mark, its first words, or a problem that it describes."""
    prose = _CODE.sub(" ", text).strip()
    words = prose.split()
    if len(words) < _SHORTEST:
        return False
    asks = _ASKS.match(prose) is not None
    marked = re.search(r"\?(\s|$)", prose) is not None
    return marked or asks or _PROBLEM.search(prose) is not None
