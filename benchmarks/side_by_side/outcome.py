"""What a measurement gives: counts and seconds, from which rates follow."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Work done, and the wall-clock it took, by all processes of a contestant together.

    Args:
        name: the contestant.
        how: how it was run, in words.
        n_fits: fits that were timed.
        seconds: wall-clock of these fits.
        compile_seconds: tracing and compilation, outside ``seconds`` unless ``how`` says otherwise.
        n_leapfrog: leapfrog steps of all chains, warm-up included; None where the peer does not count them.
        ess: sum over fits of the smallest bulk ESS among mu, tau, sigma and theta.
        peak_memory_mb: largest resident memory of a process.
        z_rms: root mean square of (posterior mean - exact mean) / mcse_mean over fits and parameters.
    """

    name: str
    how: str
    n_fits: int
    seconds: float
    compile_seconds: float
    n_leapfrog: int | None
    ess: float
    peak_memory_mb: float
    z_rms: float

    @property
    def fits_per_second(self) -> float:
        """Fits per second of wall-clock."""
        return self.n_fits / self.seconds

    @property
    def ess_per_second(self) -> float:
        """Smallest bulk effective draws per second of wall-clock."""
        return self.ess / self.seconds

    @property
    def leapfrogs_per_second(self) -> float | None:
        """Leapfrog steps per second of wall-clock, of all chains together."""
        return None if self.n_leapfrog is None else self.n_leapfrog / self.seconds


def together(parts: list[Outcome]) -> Outcome:
    """Return the outcome of processes that ran side by side, each on its own core: work adds up, the slowest counts."""
    counted = [part.n_leapfrog for part in parts if part.n_leapfrog is not None]
    n_fits = sum(part.n_fits for part in parts)
    return Outcome(
        name=parts[0].name,
        how=parts[0].how,
        n_fits=n_fits,
        seconds=max(part.seconds for part in parts),
        compile_seconds=max(part.compile_seconds for part in parts),
        n_leapfrog=sum(counted) if len(counted) == len(parts) else None,
        ess=sum(part.ess for part in parts),
        peak_memory_mb=max(part.peak_memory_mb for part in parts),
        z_rms=(sum(part.z_rms**2 * part.n_fits for part in parts) / n_fits) ** 0.5,
    )
