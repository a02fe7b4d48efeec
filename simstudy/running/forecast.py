"""How long the rest of a run will take, from what each program has shown so far.

Programs differ tenfold in what a fit costs, and a run begins by compiling them all, when few fits come back. So neither
the fits per second so far nor those of a moment foretell anything: the cost of a fit is kept program by program.
"""

from collections import Counter
from collections.abc import Hashable, Mapping


class Forecast:
    """Seconds that the fits to come will take.

    Args:
        fits: fits to come of each program.

    >>> forecast = Forecast({"a": 30, "b": 100})
    >>> forecast.returned("a", n_fits=10, seconds=5.0)
    >>> forecast.n_ready, forecast.seconds_left(n_workers=1)
    (1, None)
    >>> forecast.returned("b", n_fits=50, seconds=50.0)
    >>> forecast.seconds_left(n_workers=2)
    30.0
    """

    def __init__(self, fits: Mapping[Hashable, int]):
        self._left = Counter(dict(fits))
        self._seconds_per_fit: dict[Hashable, float] = {}
        self._returned: set[Hashable] = set()

    @property
    def n_programs(self) -> int:
        """Programs that the run needs."""
        return len(self._left)

    @property
    def n_ready(self) -> int:
        """Programs of which a block has come back, so that they are compiled."""
        return len(self._returned)

    def returned(self, program: Hashable, *, n_fits: int, seconds: float | None) -> None:
        """Count a block that came back.

        Args:
            program: its program.
            n_fits: its fits.
            seconds: what the block took, compilation apart; None where it failed and says nothing.
        """
        self._left[program] -= n_fits
        self._returned.add(program)
        if seconds is not None:
            self._seconds_per_fit[program] = seconds / n_fits

    def seconds_left(self, *, n_workers: int) -> float | None:
        """Return the seconds that are left, or None while a program has not come back once."""
        if self.n_ready < self.n_programs:
            return None
        known = self._seconds_per_fit
        typical = sum(known.values()) / max(len(known), 1)
        work = sum(n_fits * known.get(program, typical) for program, n_fits in self._left.items())
        return work / max(n_workers, 1)
