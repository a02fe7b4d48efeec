"""Which priors of a study's methods are made of given data, and how: what is told of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simstudy.mechanisms import Mechanism
from simstudy.models.unit import Unit
from simstudy.study.given import given_data
from simstudy.study.methods import Method
from simstudy.types import GroupedData


@dataclass(frozen=True, kw_only=True)
class PriorsOfData:
    """The priors of a method that are made of its data.

    Args:
        priors: parameter -> its prior as text.
        unit: m and s of the data.
        formulas: parameter -> how its prior is made of m and s.
        words: what m and s are.
    """

    priors: Mapping[str, str]
    unit: Unit
    formulas: Mapping[str, str]
    words: str

    @property
    def text(self) -> str:
        """The priors, what they are made as, and m and s, in a line."""
        priors = ", ".join(f"{name} {'~' if '(' in prior else '='} {prior}" for name, prior in self.priors.items())
        made = ", ".join(dict.fromkeys(self.formulas.values()))
        m, s = self.unit.texts
        others = "".join(f", {name} = {value:.4g}" for name, value in self.unit.spreads)
        return f"{priors}, scaled to the data as {made} with m = {m}, s = {s}{others}"

    @property
    def described(self) -> dict[str, Any]:
        """The same as JSON values."""
        m, s = self.unit.texts
        return {"formulas": dict(self.formulas), "center": m, "spread": s, "words": self.words}


def priors_of_data(mechanism: Mechanism, methods: Iterable[Method]) -> dict[str, PriorsOfData]:
    """Return for each method with priors that are made of given data which these are, and how.

    A prior counts as made of the data where it is the default for these data, written out or not: a run that is
    continued has all its priors written out.
    """
    data = given_data(mechanism)
    models = {m.name: m.model.declared for m in methods}
    found = {name: _made_of(model, data) for name, model in models.items() if data is not None and model is not None}
    return {name: made for name, made in found.items() if made is not None}


def _made_of(model: Any, data: GroupedData) -> PriorsOfData | None:
    unit = model.unit_of(data)
    if unit is None:
        return None
    priors = dict(model.priors)
    formulas = {
        p.name: p.default_of_data
        for p in model.parameters
        if p.default_of_data and priors[p.name].text == unit.prior(p.default_of_data)
    }
    if not formulas:
        return None
    texts = {name: priors[name].text for name in formulas}
    return PriorsOfData(priors=texts, unit=unit, formulas=formulas, words=model.unit_words(unit))
