"""A published folder on another machine: what was edited is found, and fits come again."""

import hashlib
import json
import re
import textwrap

import pytest

import simstudy
from simstudy.cli import main
from simstudy.errors import RunError, TableError
from simstudy.mechanisms import MECHANISMS
from simstudy.store import RunWriter
from simstudy.store.run import read_study
from simstudy.study.registry import MODELS

OWN = """
    import jax
    import numpyro
    import numpyro.distributions as dist
    import pathlib

    import simstudy

    pathlib.Path({mark!r}).touch()


    def simulate(key, scenario):
        return {{"y": jax.random.normal(key, (5,))}}, {{"mean": 0.0}}


    def model(data):
        mean = numpyro.sample("mean", dist.Normal(0, 1))
        numpyro.sample("y", dist.Normal(mean, 1).expand([5]), obs=data["y"])


    simstudy.register_mechanism("own_mechanism", simulate)
    simstudy.register_model("own_model", model, estimands=lambda posterior: {{"mean": posterior["mean"]}})
"""


def command(*arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


def test_a_copy_is_clean_and_its_fits_come_again(copy, published, capsys):
    """Bit for bit, on the machine that made it; the seal is the one that was told."""
    code, said = command(copy, "--fits", "12", capsys=capsys)
    assert code == 0, said
    assert said.out.splitlines() == [
        "12 of 48 fits run again: 12 equal the stored ones bit for bit",
        f"SHA-256 of its metadata: {published.seal}",
        "clean: the study and every part are as the run wrote them",
    ]


def test_the_draw_of_fits_is_seeded(copy):
    """The same seed draws the same fits, another one others, no fit twice, and all where there are no more."""
    first, second, third = (simstudy.verify(copy, fits=5, seed=seed).fits for seed in (1, 1, 2))
    keys = ["scenario", "replicate", "method"]
    assert first[keys].equals(second[keys])
    assert not first[keys].equals(third[keys])
    every = simstudy.verify(copy, fits=1000).fits
    assert len(every) == len(every.drop_duplicates(keys)) == 48
    assert (every["verdict"] == "equal").all()


def test_edits_are_found(copy, capsys):
    """A page that was edited, a file that is missing and one that is foreign, each in a line; nothing is fitted."""
    page = copy / "report.html"
    page.write_text(page.read_text("utf-8").replace("%", "percent"), "utf-8")
    (copy / "failures.md").unlink()
    (copy / "more.txt").write_text("")
    (copy / "link").symlink_to("/etc/hostname")
    code, said = command(copy, "--fits", "3", capsys=capsys)
    assert code == 1
    assert set(said.out.splitlines()[:-1]) == {
        "report.html is not as it was published",
        "failures.md is missing",
        "more.txt is no part of what was published",
        "link is no part of what was published",
    }


def test_a_link_in_the_place_of_a_file_is_not_followed(copy, tmp_path):
    """Though it leads to the very bytes."""
    kept = tmp_path / "elsewhere.md"
    (copy / "failures.md").rename(kept)
    (copy / "failures.md").symlink_to(kept)
    assert simstudy.verify(copy).problems == ("failures.md is not as it was published",)


def test_a_run_that_lies_elsewhere_is_not_read(copy, tmp_path):
    """A link in the place of the run's folder is told, and nothing behind it is read."""
    (copy / "run").rename(tmp_path / "elsewhere")
    (copy / "run").symlink_to(tmp_path / "elsewhere")
    problems = simstudy.verify(copy, fits=2).problems
    assert "run is no part of what was published" in problems
    assert "run/study.json is not as it was published" in problems
    assert not any(problem.startswith("run/: ") for problem in problems)


def test_digests_that_were_rewritten_do_not_help_an_edited_table(copy):
    """The run's own manifest binds its parts."""
    part = next((copy / "run" / "estimates").glob("*.parquet"))
    part.write_bytes(part.read_bytes() + b"\0")
    metadata = copy / "ro-crate-metadata.json"
    document = json.loads(metadata.read_text())
    (entity,) = [e for e in document["@graph"] if e["@id"] == str(part.relative_to(copy))]
    entity["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    metadata.write_text(json.dumps(document))
    assert simstudy.verify(copy).problems == (f"run/: estimates/{part.name} is damaged",)


def test_a_forgery_of_everything_is_found_by_its_fits(run, tmp_path, capsys):
    """Whoever writes the whole folder writes its digests too; the fits do not come again."""
    with RunWriter.create_or_continue(tmp_path / "forged", read_study(run.folder)) as writer:
        writer.write_scenarios(run.scenarios)
        writer.write_methods(run.methods)
        better = run.estimates.assign(mean=lambda t: t["mean"] + 2 * t["sd"])
        fits = run.fits.assign(batch="forged")
        writer.write_block(
            "forged", fits=fits, estimates=better, timings=run.timings.head(1).assign(batch="forged"), groups=run.groups
        )
    done = simstudy.publish(tmp_path / "forged", out=tmp_path / "out")
    code, said = command(done.folder, "--fits", "6", capsys=capsys)
    assert code == 1
    first, second, *others = said.out.splitlines()
    assert first.startswith("6 of 48 fits run again: 0 equal the stored ones bit for bit")
    assert second.startswith("largest difference: 2 posterior sds, in ")
    assert any("MCSE apart" in line for line in others)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not of a published folder"),
        ("[]", "is not of a published folder"),
        ('{"@context": [], "@graph": []}', "names no file"),
        (
            '{"@context": [], "@graph": [{"@id": "../x", "@type": "File", "sha256": "' + "0" * 64 + '"}]}',
            "is not of a published folder",
        ),
        (
            '{"@context": [], "@graph": [{"@id": "/etc/passwd", "@type": "File", "sha256": "' + "0" * 64 + '"}]}',
            "is not of a published folder",
        ),
    ],
    ids=["half", "list", "empty", "up", "root"],
)
def test_metadata_of_a_stranger(copy, content, words):
    """One message, and nothing outside of the folder is looked at."""
    (copy / "ro-crate-metadata.json").write_text(content)
    with pytest.raises(RunError, match=words):
        simstudy.verify(copy)


def test_a_run_folder_is_checked_too(run):
    """As it is, with its fits."""
    found = simstudy.verify(run.folder, fits=4)
    assert found.is_clean
    assert found.fits["verdict"].tolist() == ["equal"] * 4


def test_numbers_of_fits(run):
    """Less than none are refused."""
    with pytest.raises(TableError, match="fits: expected a number from 0"):
        simstudy.verify(run.folder, fits=-1)


def test_models_of_a_users_own(tmp_path, capsys, monkeypatch):
    """The file goes with the folder and is run where the command line names it, and nowhere else."""
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "was_run"
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN.format(mark=str(mark))))
    (tmp_path / "own.toml").write_text(
        '[study]\nname = "own"\nreplicates = 3\n[mechanism]\nkind = "own_mechanism"\n'
        '[[method]]\nname = "own"\nmodel = "own_model"\n'
        '[sampler]\nkind = "nuts"\nchains = 2\nwarmup = 60\ndraws = 60\n'
    )
    with MODELS.restored(), MECHANISMS.restored():
        for arguments in (
            ["run", "own.toml", "--load", "own.py", "--workers", "0", "--quiet"],
            ["publish", "runs/own", "--out", "out", "--load", "own.py", "--study", "own.toml"],
        ):
            with pytest.raises(SystemExit) as ended:
                main(arguments)
            assert ended.value.code == 0, capsys.readouterr()
    assert (tmp_path / "out" / "code" / "own.py").read_bytes() == (tmp_path / "own.py").read_bytes()
    assert "mean ~ Normal(0, 1)" in (tmp_path / "out" / "protocol.md").read_text("utf-8")
    mark.unlink()
    told = (simstudy.publish("runs/own", out="bare").folder / "protocol.md").read_text("utf-8")
    assert "- mean\n" in told
    assert not re.search("[θμτ]|own priors|Normal", told)
    code, said = command("out", "--fits", "3", capsys=capsys)
    assert code == 2
    assert "--load" in said.err
    assert not mark.exists()
    code, said = command("out", "--fits", "3", "--load", "out/code/own.py", capsys=capsys)
    assert code == 0, said
    assert "3 of 3 fits run again: 3 equal the stored ones bit for bit" in said.out
