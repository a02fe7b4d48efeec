"""What tests, and examples in docstrings, share: the names that one module registers are free for all others."""

from contextlib import ExitStack

import pytest

collect_ignore = ["tests/faults/user_family.py", "tests/study/extension_file.py"]
"""Files for ``--load``: looked through for examples, they would be imported, and register what they have."""


@pytest.fixture(scope="module", autouse=True)
def own_names():
    """Leave every registry behind as it was."""
    # Imported late: the folder of the tests sets the environment of JAX first.
    from simstudy.measures import MEASURES
    from simstudy.study.extensions import REGISTRIES
    from simstudy.study.registry import MODELS

    with ExitStack() as stack:
        for registry in (*REGISTRIES.values(), MODELS, MEASURES):
            stack.enter_context(registry.restored())
        yield
