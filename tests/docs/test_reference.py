"""The reference says of everything there is what it is; what has no words, and words for nothing, are refused."""

import re
from pathlib import Path

import pytest
import typer.main

from docs.making.gallery import gallery_page
from docs.making.reference import commands, tables
from docs.making.reference.commands import commands_page
from docs.making.reference.keys import keys_page
from docs.making.reference.measures import measures_page
from docs.making.reference.tables import tables_page
from docs.making.reference.write import PAGES, write_reference
from simstudy.cli import app, exits
from simstudy.measures import MEASURES
from simstudy.report.publishing.drawings import DRAWINGS
from simstudy.store import schema
from simstudy.study.keys import study_keys

CELL = re.compile(r"(?<!\\)\|")


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_whole(name):
    """Every row of a table has as many cells as its head, whatever stands in them, and every page a title."""
    text = PAGES[name]()
    assert text.startswith("# ")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(CELL.split(line)) for line in block.splitlines()}) == 1, block


def test_every_command_and_option_is_there():
    """Each option of each command stands in the section of the command."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        section = commands_page().split(f"\n## {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            assert all(f"`{option}`" in section for option in parameter.opts if option.startswith("--"))


def test_every_exit_code_is_told():
    """The codes that commands end with, and no others, have words."""
    codes = {name for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert set(commands.CODES) == codes


def test_every_key_and_measure_is_there():
    """A key of a study file and a measure that is scored have a row."""
    keys, measures = keys_page(), measures_page()
    assert all(f"| `{key.name}`" in keys for key in study_keys())
    assert all(f"| `{name}` |" in measures for name in MEASURES)


def test_a_column_without_words_is_refused(monkeypatch):
    """A new column of a table has to be told, and a column that is gone taken out."""
    assert all(f"| `{name}` |" in tables_page() for name in (*schema.FITS.names, *schema.TIMINGS.names))
    less = {key: words for key, words in tables.MEANINGS.items() if key != ("fits", "status")}
    monkeypatch.setattr(tables, "MEANINGS", less)
    with pytest.raises(LookupError, match=r"columns without a meaning: \[\('fits', 'status'\)\]"):
        tables_page()
    monkeypatch.setattr(tables, "MEANINGS", {**less, ("fits", "status"): "x", ("fits", "mood"): "x"})
    with pytest.raises(LookupError, match=r"meanings without a column: \[\('fits', 'mood'\)\]"):
        tables_page()


def test_the_gallery_shows_every_figure():
    """Each figure of a run has a heading and is drawn."""
    text = gallery_page()
    assert all(f"\n## {name}\n" in text and f', "{name}"' in text for name in DRAWINGS)


def test_pages_are_written_once(tmp_path: Path):
    """A page that has not changed is left alone, so that it is not read again."""
    write_reference(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_reference(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert len(before) == len(PAGES)
