"""Rebuild the committed reports from their runs: ``python -m reports.rebuild [--check] [NAME...]``.

Each report is a folder: the page, the performance table that it shows, and ``manifest.json``, which holds the digests
of what belongs together and the sentences that ``docs/findings.md`` quotes; README quotes the caption of its figure.
Runs lie in ``runs/reports`` and are gone on with, or made where there are none. With ``--check`` nothing is made: a
page that does not belong to its table, its study or what quotes it is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from textwrap import fill
from typing import Any

from reports.readme_figure import draw_readme_figure
from reports.side_by_side import FILE as SIDE_BY_SIDE
from reports.side_by_side import side_by_side_part
from reports.structure import FAMILIES, structure_part
from simstudy.cli.parts import built_in_studies
from simstudy.comparison import compare
from simstudy.measures import performance
from simstudy.report.comparing import comparison_part
from simstudy.report.document import lay_out, write_page
from simstudy.report.evidence import Evidence
from simstudy.report.parts import Part, make_part, with_anchors
from simstudy.report.protocol import study_digest
from simstudy.report.reading.readings import quick_to_read
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.sections.lead import standing
from simstudy.running.runner import run
from simstudy.store import Run, write_performance
from simstudy.store.atomic import write_json, write_text
from simstudy.study.study import Study

HERE = Path(__file__).parent
RUNS = HERE.parent / "runs" / "reports"
PAGE, TABLE, MANIFEST, FIGURE = "report.html", "performance.parquet", "manifest.json", "figure.svg"
MOST_BYTES = 7_000_000
BEGIN, END = "<!-- reports: written by nox -s report -->", "<!-- end of reports -->"
CAPTION_BEGIN, CAPTION_END = "<!-- caption: written by nox -s report -->", "<!-- end of caption -->"
DRAWN = "Root mean square error of the group effects."
LINE_WIDTH = 120
README, FINDINGS = "README.md", "docs/findings.md"
AGAIN = "run python3 -m nox -s report"
PARAMETERIZATIONS = ("centered", "non-centered")
OF_SEVERAL = ("ademp", "terms", "provenance")
COMPARISON_SECTIONS = ("by-measure", "rules")


@dataclass(frozen=True, kw_only=True)
class Report:
    """A committed report.

    Args:
        name: of its folder and, where it has one, of its built-in study.
        studies: built-in studies, where it has several; a part on all of them leads.
        replicates: of the run.
        n_quoted: of the sentences that the page leads with, the first so many that the findings quote.
        quoted: other sentences that they quote, as (question, place among its sentences).
        compared: pairs of methods, (baseline, candidate), whose comparison stands on the page and in the findings.
        keep_draws: replicates of each scenario whose draws are kept, for the funnel.
        has_figure: whether the README shows its figure.
    """

    name: str
    replicates: int
    studies: tuple[str, ...] = ()
    n_quoted: int = 3
    quoted: tuple[tuple[str, int], ...] = ()
    compared: tuple[tuple[str, str], ...] = ()
    keep_draws: int = 0
    has_figure: bool = False

    def study(self, name: str) -> Study:
        """Return one of its built-in studies with the report's number of replicates."""
        return Study.from_toml(built_in_studies()[name]).with_replicates(self.replicates)

    @property
    def tables(self) -> dict[str, str]:
        """Study -> the file that its performance stands in."""
        return {name: f"{name}.parquet" for name in self.studies} or {self.name: TABLE}


REPORTS = (
    Report(
        name="pooling",
        replicates=400,
        n_quoted=2,
        has_figure=True,
    ),
    Report(
        name="parameterization",
        replicates=200,
        keep_draws=1,
    ),
    Report(
        name="samplers",
        replicates=300,
        n_quoted=2,
        quoted=(("How fast", 0),),
        compared=(("exact", "batched NUTS"),),
    ),
    Report(
        name="precision",
        replicates=400,
        n_quoted=1,
        compared=tuple((f"{name}, float64", f"{name}, float32") for name in PARAMETERIZATIONS),
    ),
    Report(
        name="structure",
        replicates=100,
        studies=tuple(family.study for family in FAMILIES),
    ),
)


def main() -> int:
    """Rebuild or check the reports that are named, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(report.name for report in REPORTS))
    parser.add_argument("--check", action="store_true", help="say which reports are stale, and make none")
    options = parser.parse_args()
    known = {report.name: report for report in REPORTS}
    if unknown := set(options.names) - set(known):
        parser.error(f"no report {', '.join(sorted(unknown))}; expected some of {', '.join(known)}")
    if not options.check:
        chosen = [known[name] for name in options.names or known]
        for report, made in [(report, run_studies(report, RUNS)) for report in chosen]:  # pages make the checkout dirty
            rebuild(report, made, HERE)
        write_quotes(HERE.parent)
    stale = list(problems(HERE.parent))
    print("\n".join(stale) or f"{len(REPORTS)} reports are as their tables, studies and what quotes them have them")
    return 1 if stale else 0


def run_studies(report: Report, runs: Path) -> dict[str, Run]:
    """Run the studies of a report, or go on with them."""
    return {name: run(report.study(name), out=runs / name, keep_draws=report.keep_draws) for name in report.tables}


def rebuild(report: Report, made: Mapping[str, Run], folder: Path) -> None:
    """Write the page of a report, its tables and its manifest."""
    own = folder / report.name
    own.mkdir(exist_ok=True)
    evidences = []
    for name, one in made.items():
        table = performance(one)
        evidences.append(Evidence(run=one, performance=quick_to_read(table)))
        write_performance(one.folder, table)
        copyfile(one.folder / TABLE, own / report.tables[name])
    parts = _several(made, evidences) if report.studies else _single(report, made[report.name], evidences[0], own)
    sentences = _quoted(report, parts)
    if len(parts) > 1:
        parts = with_anchors(parts, [""] * len(parts))
    write_page(lay_out(parts, title=report.name), own / PAGE)
    if report.has_figure:
        draw_readme_figure(evidences[0], own / FIGURE)
    with speaking(evidences[0].description.vocabulary):
        caption = standing(evidences[0]) if report.has_figure else ""
    write_json(own / MANIFEST, _manifest(report, made, own, sentences, caption))
    print(f"report: {own / PAGE}")


def problems(project: Path) -> Iterator[str]:
    """Yield what is stale, in a line each: nothing where every report is as its table and its study have it.

    Args:
        project: the folder that holds README, the documentation and the reports.
    """
    folder = project / HERE.name
    if missing := [report.name for report in REPORTS if not (folder / report.name / MANIFEST).exists()]:
        yield f"{', '.join(missing)}: there is no report; {AGAIN}"
        return
    for report in REPORTS:
        own = folder / report.name
        manifest = json.loads((own / MANIFEST).read_text())
        for name, digest in manifest["files"].items():
            if not (own / name).exists() or _digest(own / name) != digest:
                yield f"{report.name}: {name} is not the one that belongs to the report; {AGAIN}"
        if manifest["studies"] != {name: study_digest(report.study(name).canonical) for name in report.tables}:
            yield f"{report.name}: the study is another one now; {AGAIN}"
        if lost := [told for _, told in manifest["sentences"] if told not in _text(own / PAGE)]:
            yield f"{report.name}: the page does not say “{lost[0]}”; {AGAIN}"
    for name, _, _, written in _quotes(folder):
        if written not in (project / name).read_text():
            yield f"{name}: does not quote the reports as they are; {AGAIN}"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    if size > MOST_BYTES:
        yield f"the reports have {size / 1e6:.1f} MB; expected at most {MOST_BYTES / 1e6:g}"


def write_quotes(project: Path) -> None:
    """Write what the reports say between the marks of the pages that quote them."""
    for name, begin, end, written in _quotes(project / HERE.name):
        before, _, rest = (project / name).read_text().partition(begin)
        write_text(project / name, before + written + rest.partition(end)[2])


def _quotes(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield page, its marks and what stands between them, marks included."""
    yield README, CAPTION_BEGIN, CAPTION_END, _caption(folder)
    yield FINDINGS, BEGIN, END, _block(folder)


def _single(report: Report, made: Run, evidence: Evidence, folder: Path) -> list[Part]:
    """Return the parts of a report on one run: its own, those of compared methods, that on other tools."""
    return [make_part(evidence), *_comparisons(report, made), *_side_by_side(folder)]


def _several(made: Mapping[str, Run], evidences: Sequence[Evidence]) -> list[Part]:
    """Return the part on all runs, and of each the answer and what it is about."""
    parts = [make_part(evidence) for evidence in evidences]
    short = [replace(part, sections=[s for s in part.sections if s.name in OF_SEVERAL]) for part in parts]
    return [structure_part(made), *short]


def _comparisons(report: Report, made: Run) -> list[Part]:
    """Return a part for each comparison of two methods: the answer and the verdicts by measure."""
    parts = []
    for baseline, candidate in report.compared:
        part = comparison_part(compare(made, made, baseline_method=baseline, candidate_method=candidate))
        kept = [section for section in part.sections if section.name in COMPARISON_SECTIONS]
        parts.append(replace(part, sections=kept))
    return parts


def _side_by_side(folder: Path) -> list[Part]:
    """Return the part on other tools, where they were measured."""
    measured = folder / SIDE_BY_SIDE
    return [side_by_side_part(json.loads(measured.read_text()))] if measured.exists() else []


def _quoted(report: Report, parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Return what the findings quote, as (of what, sentence): the page says the sentence."""
    told = {question: sentences for part in parts for question, sentences in part.answers.items()}
    own = [("", sentence) for sentence in parts[0].lead[: report.n_quoted]]
    own += [("", told[question][place]) for question, place in report.quoted]
    compared = parts[1 : 1 + len(report.compared)]
    return [(part.title, next(iter(part.answers.values()))[0]) for part in compared] + own


def _manifest(
    report: Report, made: Mapping[str, Run], folder: Path, sentences: Sequence[tuple[str, str]], caption: str
) -> Mapping[str, Any]:
    named = [name for name in (PAGE, *report.tables.values(), FIGURE, SIDE_BY_SIDE) if (folder / name).exists()]
    return {
        "studies": {name: study_digest(one.study) for name, one in made.items()},
        "replicates": report.replicates,
        "fits": sum(len(one.fits) for one in made.values()),
        "versions": next(iter(made.values())).provenance.get("versions", {}),
        "files": {name: _digest(folder / name) for name in named},
        "sentences": list(sentences),
        "caption": caption,
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(page: Path) -> str:
    """Return what a page says, with methods in quotes as sentences have them."""
    text = re.sub(r'<b class="method"[^>]*>(.*?)</b>', r"“\1”", page.read_text())
    return html.unescape(text).replace("\u00a0", " ")


def _caption(folder: Path) -> str:
    """Return what the README says below its figure, between its marks."""
    (drawn,) = (report.name for report in REPORTS if report.has_figure)
    said = json.loads((folder / drawn / MANIFEST).read_text()).get("caption", "")
    text = fill(_unbroken(f"*{DRAWN} {said}*"), LINE_WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([CAPTION_BEGIN, text, CAPTION_END])


def _unbroken(text: str) -> str:
    return text.replace(" = ", "\u00a0=\u00a0").replace(" ± ", "\u00a0±\u00a0").replace(" %", "\u00a0%")


def _block(folder: Path) -> str:
    """Return the list of the reports and what they found, between its marks."""
    items = []
    for report in REPORTS:
        manifest = json.loads((folder / report.name / MANIFEST).read_text())
        said = " ".join(f"*{of}*: {told}" if of else told for of, told in manifest["sentences"])
        item = f"- **[{report.name}](../reports/{report.name}/{PAGE})** ({manifest['fits']:,} fits). {said}"
        whole: dict[str, Any] = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}
        items.append(fill(_unbroken(item), LINE_WIDTH, **whole))
    return "\n".join([BEGIN, *items, END])


if __name__ == "__main__":
    sys.exit(main())
