# /// script
# dependencies = ["nox>=2024.4.15"]
# ///
"""Everything that can be asked of the project: ``python3 -m nox -s NAME``."""

from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests"]
PACKAGES = ["simstudy", "tests", "benchmarks", "docs", "reports", "conftest.py", "noxfile.py"]


def install(session: nox.Session, *extras: str) -> None:
    """Install the project, and the extras it names, on the pinned versions."""
    listed = f"[{','.join(extras)}]" if extras else ""
    session.install("-c", "constraints.txt", "-e", f".{listed}")


@nox.session
def study(session: nox.Session) -> None:
    """Run the built-in study `pooling` and end with the path of its report."""
    install(session)
    session.run("simstudy", "run", "pooling", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, on two processes; files stay whole, because they share fits and compiled programs."""
    install(session, "tests", "arviz")
    session.run(
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "-m",
        "not statistical and not faults and not browser",
        *session.posargs,
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation: blocks are executed, warnings are errors, links are checked without a network."""
    install(session, "docs", "arviz", "docx")
    site = "docs/_build/html"
    session.run("sphinx-build", "-W", "--keep-going", "-j", "2", "docs", site, *session.posargs)
    print(f"documentation: {site}/index.html")


@nox.session
def statistical(session: nox.Session) -> None:
    """Run the long statistical checks."""
    install(session, "tests")
    session.run("pytest", "-m", "statistical", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Kill, interrupt, fill and damage, and end with a table of what was survived; `-- --short` in a minute."""
    install(session, "tests", "dask")
    session.run("pytest", "-m", "faults", "tests/faults", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at reports in the system's Chromium: on a phone, a laptop, dark paper and in print."""
    install(session, "tests", "browser")
    session.run("pytest", "-m", "browser", "tests/browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, and that imports go one way."""
    install(session, "lint")
    session.run("ruff", "check", *PACKAGES)
    session.run("ruff", "format", "--check", *PACKAGES)
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    install(session, "types")
    session.run("mypy")
    session.run("mypy", "tests/typed_user.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Time single parts and hold them to benchmarks/baseline.json, which `-- --update` writes anew."""
    install(session, "tests")
    measured = Path(session.create_tmp()) / "benchmarks.json"
    measured.unlink(missing_ok=True)
    update = [option for option in session.posargs if option == "--update"]
    options = [option for option in session.posargs if option != "--update"]
    session.run("pytest", "benchmarks", "--benchmark-only", f"--benchmark-json={measured}", *options)
    session.run("python", "benchmarks/gate.py", str(measured), *update)


@nox.session
def regress(session: nox.Session) -> None:
    """Compare a small study with its stored run, and all draws with their stored bits; `-- --short`, `-- --update`."""
    install(session)
    folder = "benchmarks/regress"
    update = [option for option in session.posargs if option == "--update"]
    session.run("python", f"{folder}/run_anew.py", "runs/regress", *update)
    session.run("simstudy", "compare", f"{folder}/baseline", "runs/regress", "--margins", f"{folder}/margins.toml")
    session.run("python", f"{folder}/same_bits.py", "runs/same_bits", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Rebuild the committed reports from their runs, which are made or gone on with; `-- --check` names the stale."""
    install(session)
    session.run("python", "-m", "reports.rebuild", *session.posargs)


if __name__ == "__main__":
    nox.main()
