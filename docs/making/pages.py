"""Plain Markdown pages as notebooks: their blocks are cells, in one namespace and one folder for the page.

A page that begins with ``<!-- executed`` is run. A block without a language holds command lines, one of Python is
executed, one whose first line is ``# name.ending`` is also written to that file; a ``text`` block, what tests expect
to be printed, gives way to what was printed. A block in any other language is shown alone; one that is a cell already
(``{code-cell}``) stays one.
"""

import re

EXECUTED = "<!-- executed"
HEADER = """---
file_format: mystnb
kernelspec:
  name: python3
---
"""
BLOCK = re.compile(r"^```(?P<language>[^\n`]*)\n(?P<content>.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (?P<name>[\w.-]+\.\w+)\n")
CELL = "```{{code-cell}} ipython3\n{content}```"
HIDDEN = "```{{code-cell}} ipython3\n:tags: [remove-cell]\n{content}```"


def as_notebook(text: str) -> str:
    r"""Return a page as a notebook in Markdown, if it says that it is executed; any other as it is.

    >>> as_notebook("<!-- executed -->\n```\nsimstudy list\n```").splitlines()[-3:]
    ['```{code-cell} ipython3', 'simstudy list', '```']
    """
    return HEADER + BLOCK.sub(_cell, text) if text.startswith(EXECUTED) else text


def _cell(block: re.Match[str]) -> str:
    language, content = block["language"], block["content"]
    if named := FILE.match(content):
        return f"{block[0]}\n\n" + HIDDEN.format(content=f"%%writefile {named['name']}\n{content}")
    if language == "text":
        return ""
    return CELL.format(content=content) if language in ("", "python") else block[0]
