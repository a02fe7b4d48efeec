r"""A protocol as a LaTeX document that compiles with any engine, every text escaped."""

from __future__ import annotations

from simstudy.report.protocol.paper import Block, Grid, Paper, Points

HEAD = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\usepackage[margin=2.5cm]{geometry}
\usepackage{array,booktabs}
\setlength{\emergencystretch}{3em}
"""
TEXT_WIDTH = 0.94
"""Share of the line that the columns of a table have together; the rest lies between them."""

CHUNK = 24
"""Letters after which a word that has as many, such as a digest, may be broken."""


def as_latex(paper: Paper) -> str:
    """Return a text as a LaTeX document."""
    parts = [f"\\section*{{{_safe(title)}}}\n" + "\n".join(map(_block, blocks)) for title, blocks in paper.sections]
    title = f"\\title{{{_safe(paper.title)}}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n"
    return HEAD + title + "\n".join(parts) + "\n\\end{document}\n"


def _block(block: Block) -> str:
    if isinstance(block, Points):
        items = "\n".join(f"\\item {{}}{_safe(line)}" for line in block.lines)
        return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}\n"
    if isinstance(block, Grid):
        return _grid(block)
    return f"{_safe(block.text)}\n"


def _grid(grid: Grid) -> str:
    width = TEXT_WIDTH / len(grid.heads)
    columns = f">{{\\raggedright\\arraybackslash}}p{{{width:.3f}\\linewidth}}" * len(grid.heads)
    head, *rows = [" & ".join(f"{{{_safe(cell)}}}" for cell in row) + " \\\\" for row in (grid.heads, *grid.rows)]
    inside = "\n".join(["\\toprule", head, "\\midrule", *rows, "\\bottomrule"])
    return f"\\noindent\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n{inside}\n\\end{{tabular}}\n\n\\medskip\n"


def _safe(text: str) -> str:
    from simstudy.report.publishing.latex import escaped  # with pandas and what scores: not before a text is written

    words = (r"\allowbreak{}".join(escaped(w[i : i + CHUNK]) for i in range(0, len(w), CHUNK)) for w in text.split())
    return " ".join(words).replace(r"\textasciitilde{}", r"$\sim$")
