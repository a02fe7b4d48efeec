"""The protocol of a study with parts of a user's own says what they are, and nothing of parts that they have not."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import pytest

import simstudy
from simstudy.errors import StudyError
from simstudy.report import preregistration
from simstudy.report.protocol import FORMS, protocol
from tests.report.test_protocol import PARTS, parts

OWN_PARTS = [*PARTS[:-1], "Extensions", PARTS[-1]]


def wait(key, scenario):
    """Waits with a rate, the mean of which is its reciprocal."""
    return {"waits": jax.random.exponential(key, (20,)) / scenario["rate"]}, {"rate": scenario["rate"]}


def exponential(data):
    """Exponential waits."""
    rate = numpyro.sample("rate", dist.Gamma(1, 1))
    numpyro.sample("waits", dist.Exponential(rate).expand([20]), obs=data["waits"])


def classes(key, scenario):
    keys = jax.random.split(key)
    level = 0.5 * jax.random.normal(keys[0], (4,))
    y = level[:, None] + jax.random.normal(keys[1], (4, 3))
    return {"y": y, "se": jnp.arange(1.0, 5.0), "spare": jnp.zeros(7)}, {"level": level, "grand": 0.0}


def hierarchical(data):
    grand = numpyro.sample("grand", dist.TruncatedNormal(0, 2, low=-3))
    spread = numpyro.sample("spread", dist.LogNormal(0, 1))
    with numpyro.plate("class", 4):
        level = numpyro.sample("level", dist.Normal(grand, spread))
        doubled = numpyro.sample("doubled", dist.Normal(2 * level, data["se"]))
    with numpyro.plate("class", 4, dim=-2), numpyro.plate("pupil", 3):
        numpyro.sample("y", dist.StudentT(4, level[:, None] + 0.1 * doubled[:, None], 1), obs=data["y"])


def study_of(mechanism, program, names, **section):
    kind = simstudy.register_mechanism(mechanism.__name__, mechanism)
    model = simstudy.register_model(
        program.__name__, program, estimands=lambda posterior: {name: posterior[name] for name in names}
    )
    return simstudy.Study.from_dict(
        {
            "study": {"name": "own", "replicates": 20, **section},
            "mechanism": {"kind": kind, "rate": [0.5, 2.0], "groups": [1, 2, 3]},
            "method": [{"name": "own", "model": model}],
            "sampler": {"kind": "nuts"},
        }
    )


@pytest.fixture(scope="module")
def waiting():
    return study_of(wait, exponential, ["rate"])


@pytest.fixture(scope="module")
def schools():
    return study_of(classes, hierarchical, ["level", "spread"])


def test_a_study_of_waits(waiting):
    """Prior, data, estimand and docstrings as the program and one simulated truth have them; no effects of groups."""
    text = preregistration(waiting)
    found = parts(text)
    assert list(found) == OWN_PARTS
    assert re.search("- mechanism wait: Waits with a rate, .* \\(source [0-9a-f]{16}\\)", found["Extensions"])
    assert "- rate ~ Gamma(1, 1)\n- data: waits ~ Exponential(rate), 20 numbers" in found["Methods"]
    assert "| own | model exponential: Exponential waits. | as its program says, below |" in found["Methods"]
    mechanism = found["Data-generating mechanisms"]
    assert "- wait: Waits with a rate, the mean of which is its reciprocal." in mechanism
    assert "- rate: 0.5, 2\n- groups: 1, 2, 3\n- 6 scenarios: all factors crossed" in mechanism
    assert "in Gamma(a, b), b is a rate" in mechanism
    assert "Normal" not in mechanism
    assert "there is one method" in found["What will be claimed"]
    assert found["Estimands"].strip().startswith("- rate\n")
    assert not re.search("[θμτ]|theta|tau|group effect|pooling|new group", text)


def test_priors_that_depend_on_other_sites(schools):
    """Which sites a distribution is made of, the plates, truncation, functions, data; data that are not used."""
    methods = parts(preregistration(schools))["Methods"]
    lines = re.findall("^- (.*)$", methods.replace("\\", ""), re.MULTILINE)
    assert lines == [
        "grand ~ Normal(0, 2) truncated to (-3, ∞)",
        "spread ~ LogNormal(0, 1)",
        "level ~ Normal(grand, spread), 4 numbers over the plate class, "
        "a distribution that depends on grand and spread",
        "doubled ~ Normal(a function of level, se), 4 numbers over the plate class, "
        "a distribution that depends on level",
        "data: y ~ StudentT(4, a function of doubled and level, 1), 12 numbers over the plates pupil and class, a "
        "distribution that depends on level and doubled",
        "it makes nothing of 7 of the 7 numbers of spare",
    ]


def test_estimands_are_those_of_one_simulated_truth(schools):
    """With how many numbers they have; one without a truth, and a truth without an estimate, are said to be so."""
    estimands = parts(preregistration(schools))["Estimands"]
    assert "- level (4 numbers)" in estimands
    assert "without a truth, so that no error is known: spread" in estimands
    assert "in the truth, and estimated by no method: grand" in estimands


def test_calibration_says_what_ranks_cannot_see():
    """Data left out pass unnoticed where no log density is ranked; where it is, the protocol says when."""
    measures = parts(preregistration(study_of(wait, exponential, ["rate"], kind="calibration")))["Performance measures"]
    assert "the log density of the observations is ranked with them" in measures
    assert "data that a model leaves out pass unnoticed" in measures


def test_a_part_that_cannot_be_run_is_told():
    """The message names the part and what it raised."""

    def broken(key, scenario):
        raise KeyError("y")

    with pytest.raises(StudyError, match="the mechanism cannot be read: KeyError: 'y'"):
        preregistration(study_of(broken, exponential, ["rate"]))


def test_word(waiting):
    """Word's own headings and lists hold what Markdown holds."""
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(FORMS[".docx"](protocol(waiting))))
    said = [(p.style.name, p.text) for p in document.paragraphs]
    assert said[0] == ("Title", "Protocol of the study own")
    assert [text for style, text in said if style == "Heading 1"] == OWN_PARTS
    assert ("List Bullet", "rate ~ Gamma(1, 1)") in said
    assert document.tables[0].cell(1, 0).text == "own"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("study", ["waiting", "schools", "pooling"])
def test_latex_compiles(study, tmp_path, request):
    """Every letter of a protocol of users' parts, and of a built-in study, is one that pdflatex has."""
    if study == "pooling":
        made = simstudy.Study.from_toml(Path("studies/pooling.toml"))
    else:
        made = request.getfixturevalue(study)
    (tmp_path / "protocol.tex").write_bytes(FORMS[".tex"](protocol(made)))
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "protocol.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull \\hbox" not in done.stdout
    assert "Missing character" not in (tmp_path / "protocol.log").read_text(errors="replace")
