"""``simstudy publish``: a run as a folder for an archive, which another machine can check."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import load_parts


def publish_command(
    run: Annotated[Path, typer.Argument(help="Run folder; it is not changed.")],
    out: Annotated[Path, typer.Option(help="Folder to write, which is not there yet.")],
    study: Annotated[Path | None, typer.Option(help="Study file that was planned: differences are listed.")] = None,
    protocol: Annotated[Path | None, typer.Option(help="Protocol that was registered before the run.")] = None,
    load: Annotated[
        list[Path] | None, typer.Option(help="Python file that registers parts of your own; it is run and copied.")
    ] = None,
    citation: Annotated[Path | None, typer.Option(help="A CITATION.cff, which is copied.")] = None,
    license_id: Annotated[
        str | None, typer.Option("--license", help="SPDX identifier of the license, such as CC-BY-4.0.")
    ] = None,
) -> None:
    """Write a run as a research object: study, tables, report, protocol, deviations, failures, and what checks them."""
    from simstudy.crate.publish import publish

    load_parts(load)
    done = publish(
        run, out=out, study=study, protocol=protocol, code=load or (), citation=citation, license_id=license_id
    )
    tell(f"published: {done.folder} ({done.n_files:,} files)")
    tell(f"SHA-256 of its metadata, to stand where it is cited: {done.seal}")
