"""What ``plan`` returns: the answer with its sentences and its page."""

from dataclasses import dataclass
from pathlib import Path

from simstudy.planning.answer import Answer
from simstudy.planning.sentences import answers, short


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan(Answer):
    """The smallest design that reaches a goal, with what it rests on, in words."""

    @property
    def answers(self) -> dict[str, list[str]]:
        """Question -> sentences."""
        return answers(self)

    @property
    def sentences(self) -> list[str]:
        """The answer in two or three sentences."""
        return short(self)

    def report(self, path: str | Path) -> Path:
        """Write the page as one HTML file; return its path."""
        from simstudy.planning.page import write_plan  # matplotlib: not before a page is asked for

        return write_plan(self, path)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)
