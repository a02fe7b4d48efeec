"""Colors: one per method everywhere, told apart by those who see fewer colors, readable on light and dark paper."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from simstudy.report.reading.palette import ANCHORS, SPARE, assign_marks, css_variables, variable_of

DEUTERANOPIA = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
PROTANOPIA = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
CARD = ("#ffffff", "#1a1e26")


def linear(color):
    """Return linear-light RGB of a color (IEC 61966-2-1)."""
    c = np.array(to_rgb(color))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """Return the contrast ratio of two colors (WCAG 2.2)."""
    lighter, darker = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lab(rgb):
    """Return CIE L*a*b* of linear-light RGB, for D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    t = np.clip(xyz / [0.9505, 1.0, 1.089], 0, None)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_every_color_is_readable_on_its_paper():
    """Inks, and marks that color names in sentences, have a contrast of 4.5, others of 3 (WCAG 2.2, 1.4.3, 1.4.11)."""
    named = {variable_of(mark.light) for mark in (*ANCHORS.values(), *SPARE)} | {"ink", "muted"}
    variables = css_variables()
    for name, pair in variables.items():
        needed = 4.5 if name in named else {"grid": 0.0, "paper": 0.0}.get(name, 3.0)
        for color, paper, card in zip(pair, variables["paper"], CARD, strict=True):
            assert min(contrast(color, paper), contrast(color, card)) >= needed, name


@pytest.mark.parametrize("matrix", [DEUTERANOPIA, PROTANOPIA], ids=["deuteranopia", "protanopia"])
@pytest.mark.parametrize("paper", ["light", "dark"])
def test_methods_are_told_apart_with_fewer_colors(matrix, paper):
    """The four methods of pooling differ by 10 or more in L*a*b* as a dichromat sees them (Vienot et al. 1999)."""
    seen = [lab(np.clip(matrix @ linear(getattr(mark, paper)), 0, 1)) for mark in ANCHORS.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 10


@pytest.mark.parametrize("column", ["pooling", "structure"])
def test_marks_are_fixed_by_the_part_in_pooling(column):
    """A part has its color whatever else the study holds, in runs made before too; no two of ten methods look alike."""
    kinds = [("complete", None), ("none", None), ("partial", "noncentered"), ("partial", "centered"), ("none", None)]
    table = pd.DataFrame(
        [(f"m{i}", *kind) for i, kind in enumerate(kinds + [(None, None)] * 6)],
        columns=["method", column, "parameterization"],
    )
    marks = assign_marks(table)
    assert [marks[f"m{i}"] for i in range(4)] == [ANCHORS[kind] for kind in kinds[:4]]
    assert len({(m.light, m.dash) for m in marks.values()}) == len(table)
    alone = assign_marks(table.iloc[[3]])
    assert alone["m3"] == marks["m3"]
    assert marks["m4"] in SPARE
