"""``simstudy figures``: one figure of a run as a file, in the width and font of a journal."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.options import Load, existing_folder, load_parts, read_labels
from simstudy.errors import StudyError

KINDS = ("pdf", "svg", "png")
PAGE = 17.0
"""Width of the text of an A4 page, in cm."""


def figures_command(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    listed: Annotated[
        bool, typer.Option("--list", help="Say which figures there are, and which this run has.")
    ] = False,
    figure: Annotated[str | None, typer.Option(help="Name of the figure.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario: its id, or the beginning; or its label, or a part: tau=0.5.")
    ] = None,
    estimand: Annotated[str | None, typer.Option(help="Estimand; by default that of the run's answer.")] = None,
    measure: Annotated[str | None, typer.Option(help="Measure; by default the figure's own.")] = None,
    width: Annotated[
        float, typer.Option(help="Width in cm; below 15.3 it is laid out for a column.", min=3.0, max=60.0)
    ] = PAGE,
    font: Annotated[str | None, typer.Option(help="Font, such as 'Times New Roman'.")] = None,
    font_size: Annotated[float | None, typer.Option(help="Size of text in points; by default 9.", min=3.0)] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="What a method is called, METHOD=TEXT; may be given again.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File, ending in .pdf, .svg or .png.")] = None,
    load: Load = None,
) -> None:
    """Draw one figure of a run for a paper, or say which there are."""
    load_parts(load)
    if listed:
        _list(run)
        return
    if figure is None or out is None:
        raise StudyError("figures: expected --figure NAME and --out FILE; --list says which figures there are")
    if (kind := out.suffix.removeprefix(".").lower()) not in KINDS:
        raise StudyError(f"--out {out}: expected a file ending in .pdf, .svg or .png")
    existing_folder("--out", out)
    from simstudy.report.publishing.draw import content, in_font
    from simstudy.report.publishing.draw import figure as draw
    from simstudy.store.atomic import publish, stage, writing

    with in_font(font, font_size):
        labels = read_labels(run, label)
        drawn = draw(run, figure, scenario=scenario, estimand=estimand, measure=measure, labels=labels, width=width)
        data = content(drawn, kind)
    with writing(out.parent):
        publish(stage(out.parent, data), out)
    inches = drawn.get_size_inches()
    print(f"figure: {out} ({2.54 * inches[0]:.1f} x {2.54 * inches[1]:.1f} cm)")


def _list(run: Path) -> None:
    from simstudy.report.publishing.draw import available

    figures = available(run)
    longest = max(map(len, figures))
    for name, (line, missing) in figures.items():
        print(f"{name:<{longest}}  {line}")
        if missing:
            print(f"{'':<{longest}}  Not in this run: it {missing}.")
