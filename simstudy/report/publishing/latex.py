r"""A table as LaTeX: booktabs, every text escaped, Greek letters and signs as LaTeX has them.

Compiles with any engine after ``\usepackage{booktabs}``, and ``\usepackage{longtable}`` for more rows than a page has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd

MOST_ON_A_PAGE = 40
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": "$^2$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\u00a0": "~",
}
SAME_AS_LATIN = {"omicron": "o", "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I"}
SAME_AS_LATIN |= {"Kappa": "K", "Mu": "M", "Nu": "N", "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X"}
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (FINAL SIGMA|\w+)$")
_ID = re.compile(r"[^a-z0-9]+")


def as_latex(texts: pd.DataFrame, right: Sequence[bool]) -> str:
    """Return a table of texts as a LaTeX float, or as a longtable where it has more than 40 rows.

    Args:
        texts: the cells; ``attrs`` may have a ``caption``.
        right: by column, whether it stands to the right.
    """
    columns = "".join("r" if each else "l" for each in right)
    head = _row(texts.columns)
    body = "".join(_row(cells) for cells in texts.itertuples(index=False, name=None))
    caption = escaped(texts.attrs.get("caption", ""))
    named = f"\\caption{{{caption}}}\n\\label{{tab:{_label(texts.attrs.get('caption', ''))}}}" if caption else ""
    if len(texts) > MOST_ON_A_PAGE:
        start = f"\\begin{{longtable}}{{{columns}}}\n" + (f"{named} \\\\\n" if named else "")
        again = f"\\toprule\n{head}\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n"
        return f"% \\usepackage{{booktabs,longtable}}\n{start}{again}{body}\\end{{longtable}}\n"
    inside = f"\\toprule\n{head}\\midrule\n{body}\\bottomrule\n"
    tabular = f"\\begin{{tabular}}{{{columns}}}\n{inside}\\end{{tabular}}\n"
    named = f"{named}\n" if named else ""
    return f"% \\usepackage{{booktabs}}\n\\begin{{table}}\n\\centering\n{named}{tabular}\\end{{table}}\n"


def escaped(text: str) -> str:
    r"""Return a text that LaTeX prints as it stands.

    >>> print(escaped("τ = 0.5 & 95 % of a_b"), escaped("−0.12 (0.01)"), escaped("θ₁"))
    $\tau$ = 0.5 \& 95 \% of a\_b $-$0.12 (0.01) $\theta$$_{1}$
    """
    return "".join(map(_letter, " ".join(text.split(" ")).replace("\n", " ").replace("\r", " ").replace("\t", " ")))


def _letter(letter: str) -> str:
    if letter in SPECIAL:
        return SPECIAL[letter]
    if letter in "₀₁₂₃₄₅₆₇₈₉":
        return f"$_{{{letter.translate(_DIGITS)}}}$"
    if found := _GREEK.match(unicodedata.name(letter, "")):
        return _greek(found[1], found[2])
    return letter if letter.isprintable() else ""


def _greek(size: str, name: str) -> str:
    command = {"FINAL SIGMA": "varsigma", "LAMDA": "lambda"}.get(name, name.lower())
    command = command.capitalize() if size == "CAPITAL" else command
    return f"${SAME_AS_LATIN[command]}$" if command in SAME_AS_LATIN else f"$\\{command}$"


def _row(cells: Iterable[object]) -> str:
    r"""Return a line of cells; braces keep a cell that begins with [ or * from being read as an option of \\."""
    texts = [escaped(str(cell)) for cell in cells]
    guarded = [f"{{{text}}}" if text.startswith(("[", "*")) else text for text in texts]
    return " & ".join(guarded) + " \\\\\n"


def _label(caption: str) -> str:
    latin = "".join(unicodedata.name(c, c).split()[-1].lower() if "Ͱ" <= c <= "Ͽ" else c for c in caption)
    return _ID.sub("-", re.sub(r" \([^)]*\)", "", latin.split(", with")[0]).lower()).strip("-")
