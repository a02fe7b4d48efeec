"""Names that a person or a file system may take for one."""

import unicodedata


def folded(name: str) -> str:
    """Return what is left of a name where case, forms of a character and spaces around it are not told apart.

    >>> folded(" \u212bngstr\u00f6m ") == folded("a\u030angstro\u0308m")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
