"""Values of options that more than one command reads."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from simstudy.errors import StudyError, suggestion
from simstudy.study.built_in_studies import built_in_studies
from simstudy.study.naming import study_file

SIGN = re.compile("[=~]")
Load = Annotated[list[Path] | None, typer.Option("--load", help="Python file that registers parts of your own.")]
"""The option ``--load``, which may be given again."""


def load_parts(paths: list[Path] | None) -> None:
    """Run the files given to ``--load``, in their order.

    Raises:
        StudyError: there is no such file, or running it fails.
    """
    if paths:
        from simstudy.registry.files import load_files  # with cloudpickle: not before a command needs it

        load_files(paths)


def read_share(text: str) -> float:
    """Read a share such as 5% or 0.05."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StudyError(f"--max-failed {text}: expected a share such as 5% or 0.05")
    return share


def study_names(incomplete: str) -> list[str]:
    """Return the built-in studies that begin so, for the shell to complete."""
    return [name for name in built_in_studies() if name.startswith(incomplete)]


def check_study(name: str) -> None:
    """Refuse a name that is that of no study, before anything slow is imported.

    Raises:
        StudyError: says which built-in studies there are.
    """
    study_file(name)


def check_workers(workers: int | None) -> None:
    """Refuse more worker processes than the machine gains from, by far.

    Raises:
        RunError: says how many cores this process may use.
    """
    if workers is not None:
        from simstudy.executors.where import check_workers as check  # with pandas: not before a command needs it

        check(workers)


def existing_folder(option: str, file: Path) -> Path:
    """Return the folder that a file is to be written to.

    Raises:
        StudyError: there is no such folder, or a folder stands in the file's place.
    """
    if not file.parent.is_dir():
        raise StudyError(f"{option} {file}: there is no folder {str(file.parent)!r}; make it first")
    if file.is_dir():
        raise StudyError(f"{option} {file}: is a folder; expected the name of a file")
    return file.parent


def check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a StudyError unless the value is one of those allowed."""
    if value not in allowed:
        raise StudyError(f"{option}: got {value!r}{suggestion(value, allowed)}; expected one of {', '.join(allowed)}")


def read_priors(texts: Iterable[str]) -> dict[str, str]:
    """Return parameter -> prior of texts such as ``tau = HalfNormal(10)`` or ``tau ~ HalfNormal(10)``.

    Raises:
        StudyError: a text has no name, no sign between or no prior.
    """
    priors = {}
    for text in texts:
        name, _, prior = (part.strip() for part in SIGN.sub("=", text, count=1).partition("="))
        if not (name and prior):
            raise StudyError(f'--prior {text}: expected a parameter and its prior, as "tau = HalfNormal(10)"')
        priors[name] = prior
    return priors


def read_labels(run: Path, texts: Iterable[str] | None) -> dict[str, str] | None:
    """Return method -> what it is called, of texts ``METHOD=TEXT``; a method's name may have equals signs of its own.

    Raises:
        RunError: the folder is no run.
        StudyError: a text begins with no method of the run, or has nothing after it.
    """
    if not texts:
        return None
    from simstudy.store.opening import open_run  # not before there is a label

    known = sorted(map(str, open_run(run).methods["method"]), key=len, reverse=True)
    labels = {}
    for text in texts:
        name = next((name for name in known if text.startswith(f"{name}=")), "")
        if not (name and text.removeprefix(f"{name}=").strip()):
            raise StudyError(f"--label {text}: expected METHOD=TEXT, METHOD one of {', '.join(sorted(known))}")
        labels[name] = text.removeprefix(f"{name}=").strip()
    return labels
