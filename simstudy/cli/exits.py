"""Exit codes, and how a message reaches the user."""

import sys

DONE, BAD_ANSWER, MISUSE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


def say(text: str) -> None:
    """Print a message on standard error."""
    print(f"simstudy: {text}", file=sys.stderr)
