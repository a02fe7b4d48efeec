"""Small commands import neither JAX nor NumPyro: each runs in a process of its own, which has imported neither yet."""

import json
import subprocess
import sys

import pytest

COMMANDS = [
    (["--help"], 0),
    (["--version"], 0),
    (["list"], 0),
    (["list", "keys"], 0),
    (["run", "poolin"], 2),
    (["protocol", "poolin"], 2),
    (["show", "pooling"], 0),
    (["protocol", "pooling"], 0),
    (["protocol", "crossed"], 0),
    (["new", "mine", "--like", "lecture"], 0),
]
SCRIPT = """
import contextlib, io, json, os, sys

from simstudy.cli import main
from simstudy.report import protocol
from simstudy.study import opening  # what several commands import, once; JAX among it would show in all

for arguments in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                main(arguments)
            except SystemExit as ended:
                code = ended.code
        heavy = sorted({"jax", "jaxlib", "numpyro"} & set(sys.modules))
        print(json.dumps([arguments, code, heavy]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_no_small_command_waits_for_jax(tmp_path):
    """What lists, shows, tells or refuses ends as it should, without the slowest imports."""
    asked = json.dumps([arguments for arguments, _ in COMMANDS])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, asked], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [[arguments, code, []] for arguments, code in COMMANDS]
