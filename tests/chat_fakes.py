"""A scripted tutor behind a chat: the one of the page's tests, with what a chat needs besides."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from web_fakes import ANSWER, FakeTutor

from bot.commands import read
from bot.messages import Message
from bot.parts import Part
from bot.questions import is_question
from knowledge import Answer, Delta, Turn
from sandbox.demo import Demo
from sandbox.demos import load_demos


@dataclass
class ChatTutor(FakeTutor):
    """It has the catalogue, and answers unasked what is a question."""

    step: float = 0.05
    speed: float = 20.0
    demos: Mapping[str, Demo] = field(default_factory=load_demos)

    @property
    def offered(self) -> Mapping[str, Demo]:
        return self.demos

    async def volunteer(self, message: Message) -> AsyncGenerator[Part, None]:
        self.heard.append(replace(message, text=read(message.text)))
        if is_question(message.text):
            for part in ANSWER:
                yield part


class Speechless:
    """Answers for a tutor that is asked for demos only."""

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        raise NotImplementedError(question, history)
        yield
