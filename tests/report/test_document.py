"""The page: self-contained, escaped, described, counted; quick and small for large designs; without JAX."""

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from simstudy.measures import performance
from simstudy.report import write_report
from simstudy.report.document import with_chips
from simstudy.report.reading.palette import assign_marks
from simstudy.report.sections.failures import status_table
from tests.fakes import fake_run
from tests.report.conftest import EVIL
from tests.report.test_tables import embedded

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Elements of a page with their attributes; complains of tags that do not close."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Note an element without contents."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Close an element."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note text that a reader sees."""
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def test_page_is_one_whole_document(page):
    """Every element closes, ids are unique, and links of the page lead somewhere on it."""
    outline = Outline(page)
    assert outline.open == []
    ids = [attrs["id"] for _, attrs in outline.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in outline.elements if tag == "a"]
    assert links
    assert all(link[0] == "#" and link[1:] in ids for link in links)


def test_page_asks_for_nothing_outside(page, dataset_page):
    """No element loads or names an address; the XML namespaces of SVG are names, not addresses."""
    for text in (page, dataset_page):
        bare = re.sub(r"http://www\.w3\.org/(2000/svg|1999/xlink)", "", text)
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\((?!#)", bare.split("<script>")[0])
        for tag, attrs in Outline(text).elements:
            assert "src" not in attrs, tag
            assert tag != "link" or attrs["href"] == "data:,"


def test_every_picture_is_described(page, dataset_page):
    """Each SVG has a role and a label; each figure a caption that says what to see and buttons to save it."""
    for text in (page, dataset_page):
        drawings = [attrs for tag, attrs in Outline(text).elements if tag == "svg"]
        assert drawings
        assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 60 for attrs in drawings)
        n_figures = text.count("<figure ")
        assert len(drawings) == 2 * n_figures
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL)
        assert len(captions) == n_figures
        assert all(len(caption) > 40 for caption in captions)
        assert text.count('data-save="svg"') == text.count('data-save="png"') == n_figures


def test_pictures_come_before_tables(page):
    """In every section that has both, all figures stand before the first table."""
    for section in re.findall(r"<section .*?</section>", page, re.DOTALL):
        if "<figure" in section and "<table" in section:
            assert section.rfind("<figure") < section.find("<table")


def test_names_from_study_files_are_escaped(evil_page):
    """A name made of HTML shows as text, ends no script, opens no element and is no formula in the CSV."""
    outline = Outline(evil_page)
    assert outline.open == []
    assert EVIL not in evil_page
    assert EVIL in "".join(outline.text)
    assert not any(tag == "b" and attrs.get("class") != "method" for tag, attrs in outline.elements)
    assert any(EVIL in csv.replace('""', '"') for csv in embedded(evil_page).values())


def test_names_from_study_files_are_escaped_in_figures(evil_page):
    """Every figure is one well-formed element, and a name is text in it: no tag, no formula of matplotlib's."""
    figures = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", evil_page, re.DOTALL)]
    texts = {text for figure in figures for text in figure.itertext()}
    assert any(EVIL[:12] in text for text in texts)
    assert not {element.tag.rpartition("}")[2] for figure in figures for element in figure.iter()} & {"b", "script"}


def test_chips_color_known_methods_alone():
    """Quoted names of methods get their color; other quoted words keep their quotes; all is escaped."""
    import pandas as pd

    marks = assign_marks(pd.DataFrame({"method": ["a<b"], "structure": ["none"]}))
    html = with_chips("“a<b” beats “x<y” & more", marks)
    assert html == '<b class="method" style="--mark:var(--mark-1)">a&lt;b</b> beats “x&lt;y” &amp; more'


def test_failures_are_counted_by_method_with_reasons(run, page, evidence):
    """Counts of each status equal those of the fits; every reason stands on the page with its count."""
    frame = status_table(evidence).frame.set_index("method")
    counts = run.fits.groupby(["method", "status"], observed=True).size()
    assert frame["fits"].sum() == len(run.fits)
    for (method, status), n in counts.items():
        assert frame.loc[method, status] == n
    reasons = embedded(page)["reasons-of-lost-fits"]
    lost = run.fits[run.fits["status"] != "ok"]
    assert len(lost) > 0
    assert sum(int(line.rsplit(",", 1)[1]) for line in reasons.splitlines()[1:]) == len(lost)
    assert set(lost["reason"]) <= set(re.findall("|".join(map(re.escape, set(lost["reason"]))), reasons))


def test_flags_are_counted_as_the_thresholds_say(run, evidence):
    """A fit is flagged for a divergence, R-hat above 1.01 or an ESS below 400; failed fits carry none."""
    fits = run.fits[run.fits["status"] == "ok"]
    flagged = (
        (fits["n_divergent"].astype(float) > 0)
        | (fits["max_rhat"] > 1.01)
        | (fits[["min_ess_bulk", "min_ess_tail"]].min(axis=1) < 400)
    )
    assert status_table(evidence).frame["flagged"].sum() == flagged.sum() > 0


def test_simulated_run_has_its_sections(page):
    """A simulated study is told in ADEMP terms, with recovery, shrinkage, divergences, speed and provenance."""
    ids = re.findall(r'<section id="([^"]+)"', page)
    wanted = ["answer", "design", "recovery", "shrinkage", "divergences", "speed", "failures", "provenance"]
    assert ids == wanted
    text = "".join(Outline(page).text)
    for words in ("0123456789abcdef", "numpyro: 0.19.0", "fake processor", "60 replicates", "μ ~ Normal(0, 10)"):
        assert words in text


def test_dataset_has_a_posterior_table_and_no_coverage(dataset_page):
    """A run on real data shows NumPyro's columns, the sampler's error, and nothing that needs new data."""
    ids = re.findall(r'<section id="([^"]+)"', dataset_page)
    assert "posterior" in ids
    assert "recovery" not in ids
    heads = re.findall(r'<th scope="col" aria-sort="none"><button type="button">(.*?)</button>', dataset_page)
    for head in ("mean", "std", "median", "5.0%", "95.0%", "n_eff", "r_hat"):
        assert heads.count(head) == 4
    assert not {"coverage", "rejection", "empirical SE"} & set(heads)
    assert "central 90 % interval" in dataset_page
    assert 'id="figure-chain-divergences"' in dataset_page
    assert "of the sampler, over its seeds" in dataset_page


def test_report_is_replaced_whole(dataset_run, dataset_page, tmp_path):
    """Writing replaces the file, leaves nothing else behind, returns the path and gives the same page every time."""
    path = tmp_path / "deep" / "report.html"
    path.parent.mkdir()
    path.write_text("old")
    assert write_report(dataset_run, performance(dataset_run), path) == path
    assert path.read_text("utf-8") == dataset_page
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_report_imports_neither_jax_nor_numpyro(tmp_path):
    """Making a report of a run, which has its own words, in a fresh interpreter loads no JAX and no NumPyro."""
    code = (
        "import sys, simstudy.report\n"
        "from simstudy.measures import performance\n"
        "from tests.fakes import fake_run\n"
        "run = fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=4)\n"
        f"simstudy.report.write_report(run, performance(run), {str(tmp_path / 'page.html')!r})\n"
        "assert not {'jax', 'jaxlib', 'numpyro'} & set(sys.modules), 'imported'\n"
        "print('clean')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "clean"


@pytest.fixture(scope="module")
def large_page(tmp_path_factory):
    """The report on theta and tau of 45 scenarios x 4 methods."""
    run = fake_run(groups=(4, 8, 16), group_size=(1, 2, 5, 10, 20), tau=(0, 0.5, 2), replicates=6)
    run = replace(run, estimates=run.estimates[run.estimates["estimand"].isin(["theta", "tau", "shrinkage_weight"])])
    table = performance(run)
    return write_report(run, table, tmp_path_factory.mktemp("large") / "report.html").read_text("utf-8")


def test_large_design_stays_small(large_page):
    """A page of 45 x 4 stays below 2.2 MB: 12 kB for a scenario and method, of which 200 x 6 may have 8 kB."""
    assert len(large_page.encode()) < 2.2e6


def test_large_design_is_drawn_as_maps(large_page):
    """With more scenarios than rows of dots can hold, maps take their place, the first one of what pooling pays."""
    text = large_page
    assert 'id="figure-nested-loop"' in text
    assert 'id="figure-map-rmse-theta"' in text
    assert 'id="figure-recovery-theta"' not in text
    assert "pays: RMSE" in text
