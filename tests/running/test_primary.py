"""The measure that a study is about: checked before a fit, part of no identity, and free to change."""

import dataclasses

import jax
import numpyro
import numpyro.distributions as dist
import pytest

import simstudy
from simstudy.errors import StudyError
from simstudy.running.primary import check_primary
from simstudy.store.extension import study_difference
from tests.running.test_runner import STUDY


def study(**section):
    """Return the small study of the runner's tests with more keys in its section."""
    return simstudy.Study.from_dict({**STUDY, "study": {**STUDY["study"], **section}})


@pytest.mark.parametrize("primary", ["rmse:theta", "coverage: mu", "divergence_rate", "ess_per_leapfrog"])
def test_a_measure_with_its_estimand_is_accepted(primary):
    """Of estimates with an estimand, of fits without."""
    check_primary(study(primary=primary))


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        ("rmsse:theta", "got no measure 'rmsse'; did you mean 'rmse'"),
        ("rmse", "expected rmse with its estimand, as rmse:theta; got 'rmse'"),
        ("divergence_rate:mu", "expected divergence_rate alone, which is of no estimand; got 'divergence_rate:mu'"),
        ("mean_estimate:mu", "a measure of which one value is better than another"),
        ("rmse:thet", "no method has an estimand 'thet'; did you mean 'theta'"),
    ],
)
def test_what_cannot_lead_is_refused(primary, message):
    """One message says what was expected and what came."""
    with pytest.raises(StudyError, match="primary") as refused:
        check_primary(study(primary=primary))
    assert message in str(refused.value)


def test_a_run_of_it_is_refused_before_anything_is_written(tmp_path):
    """No folder is made."""
    with pytest.raises(StudyError, match="primary"):
        simstudy.run(study(primary="rmse:thet"), out=tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def simulate(key, scenario):
    return {"y": jax.random.normal(key, (5,))}, {"zeta": 0.0, "alpha": 1.0}


def model(data):
    zeta = numpyro.sample("zeta", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(zeta, 1).expand([5]), obs=data["y"])


def test_a_user_s_model_is_held_to_the_truth_that_is_simulated():
    """Names are those of one simulated data set, where nothing is declared."""
    own = {
        "study": {"name": "own", "replicates": 1},
        "mechanism": {"kind": simstudy.register_mechanism("of_primary", simulate)},
        "method": [
            {
                "name": "m",
                "model": simstudy.register_model("of_primary", model, estimands=lambda p: {"zeta": p["zeta"]}),
            }
        ],
        "sampler": {"kind": "nuts"},
    }
    made = simstudy.Study.from_dict(own)
    check_primary(dataclasses.replace(made, section=made.section.model_copy(update={"primary": "bias:zeta"})))
    with pytest.raises(StudyError, match="no method has an estimand 'zetta'; did you mean 'zeta'"):
        check_primary(dataclasses.replace(made, section=made.section.model_copy(update={"primary": "bias:zetta"})))


def test_it_is_part_of_no_identity():
    """A study without the key is what it was; with it scenarios and methods are the same, and it may change."""
    without, with_it = study(), study(primary="rmse:theta")
    assert "primary" not in without.canonical["study"]
    assert with_it.canonical["study"]["primary"] == "rmse:theta"
    assert study_difference(without.canonical, with_it.canonical) == []
    assert [s.identity for s in without.scenarios] == [s.identity for s in with_it.scenarios]
    assert [m.identity for m in without.methods] == [m.identity for m in with_it.methods]
    again = simstudy.Study.from_canonical(with_it.canonical)
    assert again.section.primary == "rmse:theta"
