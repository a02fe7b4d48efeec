"""Make the packaged table of exact posteriors anew: ``python -m tests.conformance.make_known``."""

import tempfile
from pathlib import Path

import pandas as pd

import simstudy
from simstudy.testing.known.posteriors import NUMBERS, KnownPosterior, exact_posteriors

DIGITS = "%.7g"
TABLE = Path(simstudy.__file__).parent / "testing" / "known" / "exact_posteriors.csv"


def rows_of(posterior: KnownPosterior, folder: Path) -> pd.DataFrame:
    """Return what the exact sampler knows of a posterior, without what it estimates from draws."""
    run = simstudy.run(posterior.study("exact"), out=folder / posterior.name, workers=0, quiet=True)
    if (run.fits["status"].astype(str) != "ok").any():
        raise RuntimeError(f"{posterior.name}: {run.fits['reason'].iloc[0]}")
    rows = run.estimates
    known = rows[rows["mcse_mean"].isna() & rows["mean"].notna() & (rows["sd"] > 0)]
    known = known.assign(posterior=posterior.name, estimand=known["estimand"].astype(str))
    return known[["posterior", "estimand", "group", *NUMBERS]].sort_values(["estimand", "group"])


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder:
        tables = [rows_of(posterior, Path(folder)) for posterior in exact_posteriors().values()]
    pd.concat(tables).to_csv(TABLE, index=False, float_format=DIGITS)


if __name__ == "__main__":
    main()
