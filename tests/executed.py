"""Pages of documentation that are run as they stand: blocks in their order, in one folder and one process.

The site runs the same blocks (``docs/making/pages.py``); here they are run where tests look at what they leave. A
``text`` block is what the block before it printed, with ``...`` for what is left out.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

from docs.making.cells import run_line
from docs.making.pages import BLOCK, EXECUTED, FILE

__all__ = ["EXECUTED", "ROOT", "execute"]
ROOT = Path(__file__).parent.parent


def execute(page: Path) -> dict[str, Any]:
    """Run the blocks of a page in the working folder; return the names that its Python has given."""
    names: dict[str, Any] = {"__name__": "executed"}
    printed = ""
    for block in BLOCK.finditer(page.read_text("utf-8")):
        language, content = block["language"], block["content"]
        if language == "text":
            expect_printed(content, printed)
        elif named := FILE.match(content):
            Path(named["name"]).write_text(content, "utf-8")
        elif language in ("", "python"):
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                if language == "python":
                    exec(compile(content, str(page), "exec"), names)
                else:
                    for line in content.splitlines():
                        run_line(line)
            printed = stream.getvalue()
    return names


def expect_printed(expected: str, printed: str) -> None:
    """Find the parts between the dots in what was printed, in their order."""
    place = 0
    for part in re.split(r"\.\.\.\n?", expected):
        found = printed.find(part.rstrip("\n"), place)
        assert found >= 0, f"expected {part!r} in {printed!r}"
        place = found + len(part.rstrip("\n"))
