"""Questions and designs for tests."""

from simstudy.planning.experiment import Experiment
from simstudy.planning.goal import read_goal
from simstudy.planning.of_study import question_of_study
from simstudy.planning.points import Design

FLAT = "Normal(0, 1000)"


def study(*, structure="partial", priors=None, likelihood="normal", groups="?", group_size=10, **values):
    """Return a study file's contents, analyzed with known scales where no priors are given."""
    size = {"group_size": group_size} if likelihood != "normal_known_se" else {}
    known = {name: values[name] for name in ("tau", "sigma") if isinstance(values.get(name), float)}
    apart = {"theta": FLAT} if structure == "none" else {"mu": FLAT}
    own = {name: value for name, value in known.items() if name == "sigma" or structure == "partial"}
    return {
        "study": {"name": "asked", "seed": 5},
        "mechanism": {"kind": "exchangeable", "likelihood": likelihood, "groups": groups, **size, **values},
        "method": [
            {"name": structure, "structure": structure, "priors": {**apart, **own} if priors is None else priors}
        ],
        "sampler": {"kind": "nuts"},
    }


def question(contents, goal, *, assurance=False, **given):
    """Return the question of a study."""
    options = {"method": None, "groups": None, "group_size": None, "seed": None, "most": (200, 10_000), **given}
    return question_of_study(contents, goal=goal, assurance=assurance, **options)


def look(contents, folder, design, replicates, *, assurance=False, **goal):
    """Return the measure of a goal at a design."""
    wanted = read_goal(**goal)
    asked = question(contents, wanted, assurance=assurance)
    with Experiment(asked, wanted, folder / "run", workers=0) as experiment:
        return experiment.look([Design(*design)], replicates)[Design(*design)]
