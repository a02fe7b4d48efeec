"""Many tests, one error rate."""

import numpy as np


def holm(p_values: np.ndarray, *, weights: np.ndarray | None = None) -> np.ndarray:
    """Return p-values adjusted so that the chance of any false rejection stays below the level, however they depend.

    With weights, a hypothesis that counts for half is tested as if there were two of it: a family of groups whose
    weights add up to 1 counts as one.

    Args:
        p_values: (hypothesis,) in [0, 1].
        weights: (hypothesis,) positive; all alike where None.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65, the weighted form included.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    weights = np.ones(len(p_values)) if weights is None else weights
    order = np.argsort(p_values / weights, kind="stable")
    in_order = weights[order]
    remaining = np.cumsum(in_order[::-1])[::-1]
    stepwise = np.maximum.accumulate(p_values[order] * remaining / in_order)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepwise, 1.0)
    return adjusted
