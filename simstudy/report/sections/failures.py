"""What went wrong: fits that failed or are not finite, with their reasons, and fits that carry a flag."""

from __future__ import annotations

import pandas as pd

from simstudy.measures.policies import has_boundaries
from simstudy.report.evidence import Evidence
from simstudy.report.reading.wording import letters
from simstudy.report.sections.section import Section
from simstudy.report.tables import Column, Table
from simstudy.report.words.losses import failure_sentence

FLAGS = {"divergent": "divergent", "max_rhat": "R-hat too high", "min_ess": "ESS too low", "boundary": "at an edge"}
NO_REASON = "no reason given"


def failure_section(evidence: Evidence) -> Section:
    """Return the section; it is there even when nothing failed."""
    limits = evidence.study.get("diagnostics", {})
    fits = evidence.run.fits
    rhat, ess = (limits.get(name, "its limit") for name in ("max_rhat", "min_ess"))
    rate = f"{100 * float(limits.get('max_divergence_rate') or 0):g} %"
    edge = ", or maximum likelihood puts a parameter at the edge of where it can lie" if has_boundaries(fits) else ""
    flags = (
        f"A fit is flagged when more than {rate} of its draws diverge, an R-hat is above {rhat} or an ESS (bulk or "
        f"tail) is below {ess}{edge}. Flagged fits are counted, not left out: a rule that drops them would select on "
        f"{letters()[2]}."
    )
    tables = [status_table(evidence), *_reason_table(evidence.run.fits)]
    return Section(
        name="failures",
        title="Failures and flags",
        paragraphs=[lost_sentence(evidence), flags],
        tables=tables,
    )


def lost_sentence(evidence: Evidence) -> str:
    """Return how many fits were lost or carry a flag, and what for."""
    return failure_sentence(evidence.run.fits, evidence.flags, evidence.study.get("diagnostics", {}))


def status_table(evidence: Evidence) -> Table:
    """Return fits by method: how many, how they ended, how many carry each flag."""
    fits = evidence.run.fits
    method = fits["method"].astype(str)
    status = fits["status"].astype(str)
    frame = pd.crosstab(method, status).reindex(columns=["ok", "non_finite", "failed"], fill_value=0)
    ok = (status == "ok").to_numpy()
    flags = evidence.flags & ok[:, None]
    frame = frame.join(flags.assign(flagged=flags.any(axis=1)).groupby(method).sum().astype(int))
    frame = frame.reindex([name for name in evidence.marks if name in frame.index])
    frame = frame.rename_axis("method").reset_index()
    frame.insert(1, "fits", frame[["ok", "non_finite", "failed"]].sum(axis=1))
    heads = {"method": "method", "fits": "fits", "ok": "ok", "non_finite": "not finite", "failed": "failed"}
    heads |= {"flagged": "any flag"} | {name: words for name, words in FLAGS.items() if name in frame}
    columns = [Column(head=head, source=source) for source, head in heads.items()]
    return Table(title="Fits by method", frame=frame, columns=columns)


def _reason_table(fits: pd.DataFrame) -> list[Table]:
    lost = fits[fits["status"].astype(str) != "ok"]
    if lost.empty:
        return []
    keys = {
        "method": lost["method"].astype(str),
        "status": lost["status"].astype(str).str.replace("_", " "),
        "reason": lost["reason"].fillna(NO_REASON).astype(str),
    }
    frame = pd.DataFrame(keys).value_counts(sort=True).rename("fits").reset_index()
    columns = [Column(head=name, source=name) for name in ("method", "status", "reason", "fits")]
    return [Table(title="Reasons of lost fits", frame=frame, columns=columns)]
