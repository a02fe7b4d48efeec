"""Pages of documentation: what they show is what there is, and the way from a plain page to a notebook."""

import doctest
import re
import shlex
import tomllib

import pytest
import typer.main

from docs.making import cells, docstrings, pages, project
from docs.making.cells import as_calls, run_line
from docs.making.links import LostLinksError, check_links
from docs.making.pages import BLOCK, EXECUTED, HEADER, as_notebook
from docs.making.reference import markdown
from simstudy.cli import app
from simstudy.study.study import Study
from tests.executed import ROOT

PAGES = [
    ROOT / "README.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "making"} & set(p.parts)),
]
COMMANDS = typer.main.get_command(app).commands
LINE = re.compile(r"^(?:python3? .*&& )?(simstudy .*)$", re.MULTILINE)


def called(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_commands_that_are_shown_are_commands(page):
    """Each line of a block names a command that there is, with options that it has, whether it is run or not."""
    for block in BLOCK.finditer(page.read_text("utf-8")):
        if block["language"] not in ("", "sh"):
            continue
        for line in LINE.findall(block["content"].replace("\\\n", "")):
            _, name, *arguments = shlex.split(line.partition(" &")[0], comments=True)
            if name == "COMMAND":
                continue
            known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
            assert {word.partition("=")[0] for word in arguments if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_studies_that_are_shown_are_studies(page):
    """A whole study file in a page that is not run is read as one."""
    text = page.read_text("utf-8")
    for block in BLOCK.finditer(text):
        if block["language"] == "toml" and "[study]" in block["content"] and not text.startswith(EXECUTED):
            assert Study.from_dict(tomllib.loads(block["content"])).scenarios


@pytest.mark.parametrize("module", [cells, docstrings, markdown, pages, project], ids=lambda module: module.__name__)
def test_examples_are_true(module):
    """What docstrings show is what comes; each module here has an example."""
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


def test_a_page_becomes_a_notebook():
    """Commands and Python are cells, a named file is shown and written, what was expected goes; others stay."""
    blocks = {"": "simstudy list\n", "python": "x = 1\n", "toml": "# a.toml\ny = 1\n", "text": "...\n", "sh": "ls\n"}
    plain = "".join(f"```{language}\n{content}```\n" for language, content in blocks.items())
    assert as_notebook(plain) == plain
    made = as_notebook(f"{EXECUTED} -->\n{plain}")
    assert made.startswith(HEADER)
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", made, re.DOTALL)
    assert cells == ["simstudy list\n", "x = 1\n", ":tags: [remove-cell]\n%%writefile a.toml\n# a.toml\ny = 1\n"]
    assert "```toml\n# a.toml\ny = 1\n```" in made
    assert "```sh\nls\n```" in made
    assert "..." not in made


def test_a_cell_that_is_one_stays_one():
    """What is written as a cell is left as it is, and does not open a block where it ends."""
    cell = "```{code-cell} ipython3\n:tags: [remove-cell]\n\nx = 1\n```\n\nwords\n\n```python\ny\n```\n"
    assert as_notebook(f"{EXECUTED} -->\n{cell}").endswith(cell.replace("```python", "```{code-cell} ipython3"))


def test_command_lines_are_calls():
    """Lines of a cell of commands become calls, joined where they go on; Python is left alone."""
    assert as_calls(["x = 'simstudy list'\n"]) == ["x = 'simstudy list'\n"]
    assert as_calls(["simstudy list \\\n", "  measures\n", "cp -r a b\n"]) == [
        "_command('simstudy list   measures')\n",
        "_command('cp -r a b')\n",
    ]


def test_a_command_that_ends_badly_ends_the_page(capsys):
    """Another exit code than the one that is told raises; the one that is told does not."""
    run_line("simstudy list measures")
    with pytest.raises(RuntimeError, match="exit code 2, expected 0"):
        run_line("simstudy list animals")
    run_line("simstudy list animals # exit code 2")
    with pytest.raises(RuntimeError, match="exit code 0, expected 2"):
        run_line("simstudy list measures # exit code 2")


def test_links_are_held(tmp_path):
    """Links within lead to files and headings that there are; those outside are listed and not followed."""
    (tmp_path / "a.html").write_text('<h1 id="top"></h1><a href="b.html#end"></a><a href="https://x.org/y"></a>')
    (tmp_path / "b.html").write_text('<p id="end"></p><a href="a.html"></a><a href="#end"></a>')
    listed = tmp_path / "links.txt"
    check_links(tmp_path, listed=listed)
    assert listed.read_text() == "https://x.org/y\n"
    (tmp_path / "b.html").write_text('<a href="c.html"></a><a href="a.html#no"></a>')
    with pytest.raises(LostLinksError) as lost:
        check_links(tmp_path, listed=listed)
    for link in ("a.html: b.html#end: no such heading", "b.html: c.html: no such file", "b.html: a.html#no: no such"):
        assert link in str(lost.value)
