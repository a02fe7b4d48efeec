"""Every key of a study file, from the models that validate it."""

from docs.making.reference.markdown import cell, code, table
from simstudy.study.keys import SECTIONS, Key, study_keys

HEAD = """# Keys of a study file

A study is a TOML file, or a mapping of the same form in Python. Unknown keys are refused with the nearest name that is
known. A key with an asterisk (\\*) may have a list of values: in `[mechanism]` every combination is a scenario, in
`[[method]]` and `[sampler]` every value is a method.
"""
SAID = {
    "[study]": "What the study is, and how large.",
    "[mechanism]": "Where the data come from.",
    "[mechanism.terms.NAME]": "A grouping factor of data with terms; NAME is yours.",
    "[mechanism.covariates.NAME]": "A covariate of data with terms; NAME is yours.",
    "[[method]]": "What is fitted; the section stands once for each method.",
    "[method.priors]": "Priors of a method, `priors = { mu = ... }` in its section; a number fixes the parameter.",
    "[sampler]": "How draws are made. A method may have other values, `sampler = { ... }` in its section. One that "
    "names another kind goes without the shared options that this kind does not have.",
    "[summary]": "What is stored of the draws.",
    "[diagnostics]": "Thresholds that flag a fit when it is scored; no fit is deleted.",
}


def keys_page() -> str:
    """Return the page on the keys of a study file."""
    keys = study_keys()
    return "\n".join([HEAD, *(_section(name, [k for k in keys if k.section == name]) for name in SECTIONS)])


def _section(name: str, keys: list[Key]) -> str:
    head = ["key", "what it is", "type and range", "default"]
    return f"## {code(name)}\n\n{SAID[name]}\n\n" + table(head, map(_row, keys)) + "\n"


def _row(key: Key) -> list[str]:
    only = f" ({key.only})" if key.only else ""
    kind = ", ".join(filter(None, [key.type, key.range]))
    default = "needed" if key.is_required else code(key.default)
    if key.example != key.default:
        default = f"{default}, " * bool(default) + f"as in {code(key.example)}"
    name = code(key.name) + ("\\*" if key.is_factor else "")
    return [name, cell(key.words + only), cell(kind), default]
