"""Parts of a user's own go the whole way: study file, workers, run, report, refit and verify, and are told apart."""

import json
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.cli import main
from simstudy.errors import StudyError, TableError
from simstudy.measures import MEASURES, Measure, mean_score, performance
from simstudy.measures.recovery import bias
from simstudy.models.likelihoods import Normal
from simstudy.registry.files import load_file
from simstudy.samplers import Exact, Sampler
from simstudy.study.extensions import REGISTRIES
from simstudy.study.registry import MODELS
from tests.fakes import fake_run
from tests.registry.packages import install

FILE = Path(__file__).parent / "extension_file.py"
ALL = (*REGISTRIES.values(), MODELS, MEASURES)
STUDY = """
[study]
name = "mine"
replicates = 4
primary = "mean_distance:theta"

[mechanism]
kind = "heavy_tails"
likelihood = "bell"
groups = 5
group_size = 4
tau = 0.5
df = 5.0

[[method]]
name = "shared"
structure = "shared"

[[method]]
name = "none"
structure = "none"

[sampler]
kind = "mine"
chains = 2
draws = 50
finesse = 2.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the study and the file, in which nothing is registered yet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(STUDY)
    shutil.copy(FILE, "parts.py")
    return tmp_path


def command(*arguments):
    """Run a command as a process of its own would: what it registers is gone behind it. Return its exit code."""
    with ExitStack() as stack:
        for registry in ALL:
            stack.enter_context(registry.restored())
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
    return ended.value.code


def test_a_run_of_own_parts_is_one_like_any_other(folder, capsys):
    """A worker process draws with them, the run says what they are, and only they make its fits again."""
    assert command("run", "mine.toml", "--load", "parts.py", "--workers", "1", "--out", "run", "--quiet") == 0
    run = simstudy.Run.open(Path("run"))
    assert set(run.fits["status"]) == {"ok"}, run.fits["reason"].dropna().tolist()
    assert set(run.methods["finesse"]) == {2.0}
    said = run.study["extensions"]
    assert set(said) == {"mechanism heavy_tails", "likelihood bell", "structure shared", "sampler mine"}
    page = re.sub(r"<[^>]+>", " ", Path("run/report.html").read_text())
    assert f"sampler mine: Draws by quadrature under another name (source {said['sampler mine']})" in page
    assert "my quadrature: 2 chains of 50 draws, finesse 2.0" in page
    assert "mean distance: mean distance of the estimate from the truth (ours)" in page
    assert "Measures of your own" in page
    measures = pd.read_parquet("run/performance.parquet")["measure"]
    assert "mean_distance" in set(measures)

    assert command("report", "run", "--load", "parts.py") == 0
    capsys.readouterr()
    assert command("report", "run") == 2
    assert "no measure 'mean_distance'" in (said := capsys.readouterr().err)
    assert "a measure of your own comes with --load FILE.py" in said
    fit = ["refit", "run", "--scenario", run.scenarios["scenario"][0], "--replicate", "1", "--method", "shared"]
    capsys.readouterr()
    assert command(*fit, "--load", "parts.py") == 0
    assert "equal: the stored fit, bit for bit" in capsys.readouterr().out
    assert command(*fit) == 2
    assert "no mechanism 'heavy_tails' is registered; load its file with --load FILE.py" in capsys.readouterr().err
    assert command("verify", "run", "--fits", "2", "--load", "parts.py") == 0
    Path("parts.py").write_text(FILE.read_text().replace("SHIFT = 0.0", "SHIFT = 0.5"))
    capsys.readouterr()
    assert command(*fit, "--load", "parts.py") == 2
    assert "the sampler 'mine' is another one now (its source has changed)" in capsys.readouterr().err
    assert command("run", "mine.toml", "--load", "parts.py", "--workers", "0", "--out", "run", "--quiet") == 2
    assert "extensions.sampler mine: stored" in capsys.readouterr().err


def test_lists_shows_and_protocols_have_them(folder, capsys):
    """``list``, ``show`` and ``protocol`` say what was loaded."""
    assert command("list", "samplers", "--load", "parts.py") == 0
    assert re.search(r"^mine +Draws by quadrature under another name\.$", capsys.readouterr().out, re.MULTILINE)
    assert command("show", "mine.toml", "--load", "parts.py") == 0
    assert "# extension: structure shared: Partial pooling under another name." in capsys.readouterr().out
    assert command("protocol", "mine.toml", "--load", "parts.py") == 0
    printed = capsys.readouterr().out
    assert "sampler mine: Draws by quadrature under another name (source " in printed
    assert "mean distance: mean distance of the estimate from the truth (ours)" in printed


@pytest.mark.usefixtures("folder")
def test_a_method_of_own_parts_extends_a_run_of_built_in_ones():
    """A run goes on with a method that brings an extension; nothing that is stored is made again."""
    contents = {
        "study": {"name": "extended", "replicates": 4},
        "mechanism": {"kind": "exchangeable", "groups": 5, "group_size": 4},
        "method": [{"name": "none", "structure": "none"}],
        "sampler": {"kind": "exact", "chains": 2, "draws": 50},
    }
    before = simstudy.run(simstudy.Study.from_dict(contents), out="run", workers=0, quiet=True)
    assert "extensions" not in before.study
    with ExitStack() as stack:
        for registry in ALL:
            stack.enter_context(registry.restored())
        load_file("parts.py")
        contents["method"].append({"name": "own", "structure": "shared"})
        after = simstudy.run(simstudy.Study.from_dict(contents), out="run", workers=0, quiet=True)
    assert after.study["extensions"].keys() == {"structure shared"}
    assert len(after.fits) == 2 * len(before.fits)
    kept = after.fits[after.fits["method"] == "none"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before.fits, check_categorical=False)


def test_parts_of_an_installed_package_need_no_loading(folder, monkeypatch, capsys):
    """Its entry points are enough, its version stands in the run, and options of its parts are read."""
    for registry in ALL:
        monkeypatch.setattr(registry, "_has_looked", False)
    install(
        folder / "site",
        monkeypatch,
        name="tiny-parts",
        files={"tiny_parts": re.sub(r"^@simstudy\.register_(?!measure).*\n", "", FILE.read_text(), flags=re.M)},
        entry_points={
            "simstudy.samplers": {"mine": "tiny_parts:Mine"},
            "simstudy.likelihoods": {"bell": "tiny_parts:Bell"},
            "simstudy.structures": {"shared": "tiny_parts:Shared"},
            "simstudy.mechanisms": {"heavy_tails": "tiny_parts:HeavyTails"},
            "simstudy.measures": {"mean_distance": "tiny_parts:mean_distance"},
        },
    )
    assert command("list", "samplers") == 0
    assert "Draws by quadrature under another name. (tiny-parts 1.2)" in capsys.readouterr().out
    assert command("run", "mine.toml", "--workers", "1", "--out", "run", "--quiet") == 0
    assert json.loads(Path("run/provenance.json").read_text())["versions"]["tiny-parts"] == "1.2"
    assert "(tiny-parts 1.2, source " in Path("run/report.html").read_text()
    assert "mean_distance" in set(pd.read_parquet("run/performance.parquet")["measure"])
    capsys.readouterr()
    Path("bad.toml").write_text(STUDY.replace("finesse = 2.0", "finesse = 20.0"))
    assert command("run", "bad.toml") == 2
    assert "finesse: expected a number below 10, got 20.0" in capsys.readouterr().err


class Nothing:
    """No part of any kind."""


class Bare(Sampler):
    """A sampler that says nothing."""


class Thawed(Exact):
    """A sampler that was not made a dataclass."""

    kind = "thawed"


class Named(Normal):
    """A likelihood with the name of another."""


CASES = {
    "no sampler": (
        lambda: simstudy.register_sampler(Nothing),
        "expected a class that extends simstudy.samplers.Sampler",
    ),
    "no class": (lambda: simstudy.register_sampler(3), "the sampler 3: expected a class that extends"),
    "bare": (lambda: simstudy.register_sampler(Bare), "it lacks kind, words, compile, fits_at_once, fits_per_block"),
    "thawed": (lambda: simstudy.register_sampler(Thawed), r"put @dataclass\(frozen=True, kw_only=True\) before it"),
    "built in": (lambda: simstudy.register_sampler(Exact), "the sampler 'exact': the name is that of a built-in one"),
    "no likelihood": (lambda: simstudy.register_likelihood(Exact), "extends simstudy.models.likelihoods.Likelihood"),
    "no structure": (lambda: simstudy.register_structure(Exact), "Structure or simstudy.models.terms.TermStructure"),
    "no mechanism": (lambda: simstudy.register_mechanism(Exact), "extends simstudy.mechanisms.GroupedMechanism"),
    "no simulator": (lambda: simstudy.register_mechanism("a", 3), r"expected a function simulate\(key, scenario\)"),
    "taken": (lambda: simstudy.register_mechanism("dataset", print), "the name is that of a built-in one"),
    "no program": (lambda: simstudy.register_model("a", 3, estimands=dict), "expected a NumPyro function"),
    "no estimands": (lambda: simstudy.register_model("a", print, estimands=3), "expected a function estimands"),
    "no measure": (lambda: simstudy.register_measure(3), "expected a simstudy.measures.Measure, got 3"),
    "known measure": (lambda: simstudy.register_measure(MEASURES["rmse"]), "the name is that of a built-in one"),
    "no field": (
        lambda: simstudy.register_measure(needs=("error",))(bias),
        "missing 3 required keyword-only arguments",
    ),
    "no source": (
        lambda: simstudy.register_measure(
            Measure(name="a", function=bias, needs=(), definition="a", source="", unit="1", better=None)
        ),
        "the measure 'a': expected source; reports say them",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_part_is_refused(case):
    """One sentence says what was expected and what came; nothing is registered."""
    register, words = CASES[case]
    before = [dict(registry.extensions) for registry in ALL]
    with pytest.raises(StudyError, match=words):
        register()
    assert [dict(registry.extensions) for registry in ALL] == before


def test_options_of_one_name_have_one_meaning():
    """Two families of a method's section cannot have an option with different values under one name."""

    @dataclass(frozen=True, kw_only=True)
    class Own(Normal):
        """A likelihood with an option that partial pooling has."""

        kind: ClassVar[str] = "own"
        parameterization: bool = False

    simstudy.register_likelihood(Own)
    contents = {
        "study": {"name": "own"},
        "mechanism": {"kind": "exchangeable", "groups": 5, "group_size": 4},
        "method": [{"name": "none", "structure": "none"}],
        "sampler": {"kind": "exact"},
    }
    with pytest.raises(StudyError, match="the option 'parameterization' of Own has other values than that of Partial"):
        simstudy.Study.from_dict(contents)


def test_a_measure_needs_columns_that_there_are():
    """Every number of the estimates is one; a column that no run has is refused by name when it is scored."""
    of_tails = Measure(
        name="mean_tail_ess", function=bias_of("ess_tail"), needs=("ess_tail",), definition="a", source="a", unit="1",
        better=None,
    )  # fmt: skip
    simstudy.register_measure(of_tails)
    run = fake_run()
    scores = performance(run)
    found = scores[(scores["measure"] == "mean_tail_ess") & (scores["estimand"] == "theta")]
    expected = run.estimates[run.estimates["estimand"] == "theta"].groupby(["scenario", "method"])["ess_tail"].mean()
    np.testing.assert_allclose(found.set_index(["scenario", "method"])["value"].sort_index(), expected.sort_index())
    measure = Measure(
        name="of_nothing", function=bias, needs=("eror",), definition="a", source="a", unit="1", better=None
    )
    simstudy.register_measure(measure)
    with pytest.raises(TableError, match=r"'of_nothing' needs the column 'eror'.*did you mean 'error'"):
        performance(run)


def bias_of(column):
    def mean(rows, setting):
        return mean_score(rows, rows.reduce(rows[column]))

    return mean
