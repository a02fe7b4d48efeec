"""A browser, and the pages it looks at; made once."""

import shutil

import pytest

from simstudy.measures import performance
from simstudy.report import write_reports
from tests.fakes import fake_run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    f"none of {', '.join(BROWSERS)} is installed; install one, on Debian or Ubuntu: apt-get install chromium, "
    "on macOS: brew install --cask google-chrome"
)
PAGES = ("simulated", "dataset", "several")


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail(MISSING)
    with playwright.sync_playwright() as drive:
        # Root may not have a sandbox; the pages are our own files and load nothing.
        opened = drive.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Name -> the file of a report on made-up runs."""
    folder = tmp_path_factory.mktemp("pages")
    simulated = fake_run(groups=(8,), group_size=(2,), sizes=[(1, 2, 5, 40)], tau=(0.0, 0.5, 2.0), replicates=30)
    dataset = fake_run(replication="sampler", replicates=20)
    small = fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=12, methods=("none", "complete"))
    runs = {"simulated": [simulated], "dataset": [dataset], "several": [small, dataset]}
    return {
        name: write_reports(each, [performance(run) for run in each], folder / f"{name}.html")
        for name, each in runs.items()
    }


@pytest.fixture
def show(browser, pages):
    """Return a function that opens a page and returns it; a complaint of the page or a request of it fails the test."""
    contexts, complaints = [], []

    def _show(name, *, width=1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        address = pages[name].as_uri()
        page.on("request", lambda request: None if _is_own(request.url, address) else complaints.append(request.url))
        page.goto(address)
        return page

    yield _show
    for context in contexts:
        context.close()
    assert complaints == []


def unfold(page):
    """Open what a reader opens with a click: sections, questions and figures."""
    page.evaluate("for (const d of document.querySelectorAll('details:not(.table)')) d.open = true")
    return page


def _is_own(url, address):
    """Whether a request is for the page itself, or for what the page made."""
    return url.partition("#")[0] == address or url.startswith(("data:", "blob:"))
