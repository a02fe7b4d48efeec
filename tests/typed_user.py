"""What a user's script looks like to a type checker: `nox -s types` checks it, and that its wrong lines are found."""

import simstudy


def script() -> int:
    """Use every kind of public name as documented; lines that are marked are wrong, and mypy has to say so."""
    run = simstudy.run("lecture", out="runs/lecture", replicates=3)
    page = simstudy.report(run, "page.html")
    simstudy.report("runs/lecture").as_uri()
    simstudy.report(["runs/lecture", run], page)
    simstudy.performance("runs/lecture").query("measure == 'rmse'")
    simstudy.table(run, measure="coverage").to_latex()
    simstudy.report.figures.zip_plot(run.estimates)
    run.to_datatree()
    study = simstudy.Study.from_toml("study.toml")
    simstudy.run(study, out="runs/study", workers=study.replicates)
    simstudy.report(3)  # type: ignore[arg-type]
    print(simstudy.report(run).nothing)  # type: ignore[attr-defined]
    simstudy.performance(None)  # type: ignore[arg-type]
    print(simstudy.runs)  # type: ignore[attr-defined]
    return simstudy.compare("runs/lecture", run).exit_code
