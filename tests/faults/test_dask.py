"""A Dask cluster of real processes on this machine: the local run's tables, whatever becomes of its workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from simstudy.errors import RunError
from simstudy.executors import run_blocks
from simstudy.executors.dask import DaskExecutor
from tests.executors.test_executors import Job, by_number, halve, square
from tests.faults.study import (
    PATIENCE_SECONDS,
    SIMSTUDY,
    STUDY,
    assert_survived,
    go_on,
    n_blocks,
    n_fits,
    refusal,
    start,
    wait_for,
)

pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
ROOT = Path(__file__).parents[2]
FULL = pytest.mark.faults(full=True)


class Cluster:
    """A scheduler and its workers, as processes."""

    def __init__(self, folder, processes, *options):
        self._folder, self._processes = folder, processes
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *options)
        wait_for(lambda: self._file.exists() and self._file.read_text().rstrip().endswith("}"))
        self.address = json.loads(self._file.read_text())["address"].replace("tcp://", "dask://")

    def add_worker(self, *options, path=""):
        """Start a worker, which finds the modules of a path before others; return its process."""
        options = options or ("--no-nanny", "--nthreads", "1")
        return self._start("dask_worker", "--host", "127.0.0.1", *options, path=path)

    def _start(self, module, *options, path=""):
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(self._file)]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(path), str(ROOT)])),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        }
        with (self._folder / f"{module}-{len(self._processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [*command, "--no-dashboard", *options], env=environment, stdout=log, stderr=log, cwd=self._folder
            )
        self._processes.append(process)
        return process


@pytest.fixture
def cluster(tmp_path_factory):
    """A scheduler, without workers at first."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@contextmanager
def start_cluster(folder, *options):
    processes = []
    with ExitStack() as stack:
        stack.callback(_end, processes)
        yield Cluster(folder, processes, *options)


def _end(processes):
    """End processes and what they started, by their numbers."""
    for process in processes:
        for child in [*_children(process.pid), process]:
            child.kill()
        process.wait()


def _children(pid):
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill_after_a_block(folder, victim, then=lambda: None):
    """Kill a process once a block is stored, from a thread beside the run."""

    def act():
        wait_for(lambda: n_blocks(folder))
        victim().kill()
        then()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_the_local_runs_tables(reference, cluster, tmp_path, faults):
    """Two workers, of which one dies in the middle: bit for bit the tables of this process."""
    kind = "kill -9 of a worker of a cluster"
    victim = cluster.add_worker()
    cluster.add_worker()
    faults.tried(kind)
    thread = kill_after_a_block(tmp_path / "run", lambda: victim)
    run = go_on(tmp_path / "run", executor=cluster.address, workers=None)
    thread.join()
    assert victim.wait() == -signal.SIGKILL
    assert (run.fits["status"] == "ok").all()
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@pytest.fixture
def other_numpyro(tmp_path):
    """A path where the installed version of numpyro reads as 0.1."""
    place = tmp_path / "other" / "numpyro-0.1.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: numpyro\nVersion: 0.1\n")
    return place.parent


def test_other_versions_are_refused(cluster, other_numpyro, tmp_path, faults):
    """A cluster whose only worker has another version ends the run with both versions, and nothing is written."""
    kind = "worker of another version"
    faults.tried(kind)
    cluster.add_worker(path=other_numpyro)
    with pytest.raises(
        RunError, match=r"no worker there can take part\n  tcp://\S+ has numpyro 0\.1 instead of 0\.\d+"
    ):
        wait_for_worker(cluster, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    faults.survived(kind)


def wait_for_worker(cluster, folder):
    """Run once a worker of the cluster is there."""
    from distributed import Client

    with Client(cluster.address.replace("dask://", "tcp://"), set_as_default=False) as client:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    go_on(folder, executor=cluster.address, workers=None)


@FULL
def test_a_late_worker_of_another_version(reference, cluster, other_numpyro, tmp_path, faults):
    """One that joins later is named in the log and gets no fits; one that fits and joins later takes part."""
    kind = "late worker of another version"
    faults.tried(kind)
    first = cluster.add_worker()
    late = []

    def join():
        wait_for(lambda: n_blocks(tmp_path / "run"))
        late.extend([cluster.add_worker(path=other_numpyro), cluster.add_worker()])
        log = tmp_path / "run" / "run.log"
        wait_for(lambda: "gets no fits: it has numpyro 0.1 instead of" in log.read_text())

    thread = threading.Thread(target=join, daemon=True)
    thread.start()
    run = go_on(tmp_path / "run", executor=cluster.address, workers=None)
    thread.join(PATIENCE_SECONDS)
    wait_for(lambda: late)
    pids = {int(worker.split(".")[0]) for worker in run.timings["worker"]}
    assert late[0].pid not in pids
    assert first.pid in pids
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@FULL
def test_a_worker_without_simstudy(cluster, tmp_path, faults):
    """A worker whose simstudy lacks what the driver sends is refused with the reason."""
    kind = "worker without this simstudy"
    faults.tried(kind)
    (tmp_path / "old" / "simstudy").mkdir(parents=True)
    (tmp_path / "old" / "simstudy" / "__init__.py").touch()
    cluster.add_worker(path=tmp_path / "old")
    with pytest.raises(
        RunError, match=r"cannot run simstudy \(ModuleNotFoundError\(.*install the driver's versions there"
    ):
        wait_for_worker(cluster, tmp_path / "run")
    faults.survived(kind)


@FULL
def test_a_worker_of_many_threads(cluster, tmp_path, faults):
    """A worker that runs several tasks at once is refused with the option that it needs."""
    kind = "worker of many threads"
    faults.tried(kind)
    cluster.add_worker("--no-nanny", "--nthreads", "4")
    with pytest.raises(RunError, match="runs 4 tasks at once; start it with --nthreads 1"):
        wait_for_worker(cluster, tmp_path / "run")
    faults.survived(kind)


@FULL
def test_all_workers_go_and_others_come(reference, cluster, tmp_path, faults):
    """What waited for workers that are gone is sent to those that come."""
    kind = "all workers replaced"
    faults.tried(kind)
    only = cluster.add_worker()
    thread = kill_after_a_block(tmp_path / "run", lambda: only, then=cluster.add_worker)
    go_on(tmp_path / "run", executor=cluster.address, workers=None)
    thread.join()
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@FULL
def test_a_lost_scheduler(reference, cluster, tmp_path, faults):
    """Without its scheduler the run ends with what to do; elsewhere it goes on to the same tables."""
    kind = "scheduler lost"
    faults.tried(kind)
    cluster.add_worker()
    thread = kill_after_a_block(tmp_path / "run", lambda: cluster.scheduler)
    message = refusal(start(tmp_path / "run", "--executor", cluster.address))
    thread.join()
    assert "the Dask scheduler at dask://" in message
    assert "was lost; what is finished is stored: run the same command again when it is back" in message
    assert n_fits(tmp_path / "run") > 0
    go_on(tmp_path / "run")
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@FULL
def test_no_scheduler(tmp_path, faults):
    """An address where nobody answers is one message, and nothing is written."""
    kind = "no scheduler"
    faults.tried(kind)
    (tmp_path / "s.toml").write_text(STUDY)
    command = [*SIMSTUDY, "run", "s.toml", "--executor", "dask://127.0.0.1:1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert "no Dask scheduler answers there" in refusal(process)
    assert not (tmp_path / "runs").exists()
    faults.survived(kind)


@FULL
def test_a_deadly_fit(cluster, faults):
    """The one fit that ends workers is found on a cluster too, and fails alone; all others return."""
    kind = "fit that kills the workers of a cluster"
    faults.tried(kind)
    cluster.add_worker("--nanny", "--nthreads", "1", "--nworkers", "2")
    jobs = [Job(tuple(range(4 * k, 4 * k + 4)), deadly=frozenset({5})) for k in range(3)]
    found = by_number(
        run_blocks(square, jobs, executor_factory=lambda: DaskExecutor(cluster.address), window=4, split=halve)
    )
    assert found == {n: n**2 for n in range(12)} | {5: "worker died"}
    faults.survived(kind)


def certificate(folder, name):
    """Make a key and a certificate that vouches for itself, and return what Dask's configuration says of them."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make certificates")
    cert, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-out", cert, "-keyout", key]
    subprocess.run(command, check=True, capture_output=True)
    roles = {role: {"cert": str(cert), "key": str(key)} for role in ("client", "scheduler", "worker")}
    return {"ca-file": str(cert), **roles}


def configure(monkeypatch, tls):
    """Give certificates to this process and to those that it starts."""
    monkeypatch.setitem(dask.config.get("distributed")["comm"], "tls", dask.config.get("distributed.comm.tls") | tls)
    for role in ("client", "scheduler", "worker"):
        for part, path in tls[role].items():
            monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role.upper()}__{part.upper()}", path)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", tls["ca-file"])


@pytest.fixture
def encrypted(tmp_path_factory, monkeypatch):
    """A scheduler that speaks TLS alone, its certificate that of this process."""
    folder = tmp_path_factory.mktemp("encrypted")
    configure(monkeypatch, certificate(folder, "ours"))
    with start_cluster(folder, "--protocol", "tls") as cluster:
        yield cluster


@FULL
def test_over_tls(reference, encrypted, tmp_path, faults):
    """With certificates from Dask's configuration the run talks to its cluster in TLS alone, to the same tables."""
    kind = "cluster over TLS"
    faults.tried(kind)
    encrypted.add_worker()
    assert encrypted.address.startswith("tls://127.0.0.1:")
    go_on(tmp_path / "run", executor=encrypted.address, workers=None)
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@FULL
def test_required_encryption(encrypted, tmp_path, faults, monkeypatch):
    """Where Dask's configuration requires encryption, a dask:// address is encrypted too."""
    kind = "cluster over TLS"
    faults.tried(kind)
    monkeypatch.setitem(dask.config.get("distributed")["comm"], "require-encryption", True)
    executor = DaskExecutor(encrypted.address.replace("tls://", "dask://"))
    assert executor.n_workers == 0
    executor.shutdown()
    faults.survived(kind)


@FULL
def test_a_strangers_certificate(encrypted, tmp_path, faults, monkeypatch):
    """A scheduler refuses one who has another certificate, or none, in one message; nothing is written."""
    kind = "stranger's certificate"
    faults.tried(kind, 3)
    plain = encrypted.address.replace("tls://", "dask://")
    assert "no Dask scheduler answers there" in refusal(start(tmp_path / "plain", "--executor", plain))
    monkeypatch.delenv("DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT")
    message = refusal(start(tmp_path / "none", "--executor", encrypted.address))
    assert "Dask's configuration names no distributed.comm.tls.client.cert; see docs/clusters.md" in message
    configure(monkeypatch, certificate(tmp_path, "stranger"))
    message = refusal(start(tmp_path / "stranger", "--executor", encrypted.address))
    assert "no Dask scheduler answers there" in message
    assert "certificate" in message
    assert not {"plain", "none", "stranger"} & {path.name for path in tmp_path.iterdir()}
    faults.survived(kind, 3)


@FULL
def test_a_damaged_certificate(tmp_path, faults, monkeypatch):
    """A certificate that is none, or is not there, is one message that says where it is looked for."""
    kind = "certificate that cannot be read"
    faults.tried(kind, 2)
    tls = certificate(tmp_path, "ours")
    configure(monkeypatch, tls)
    Path(tls["ca-file"]).write_text("-----BEGIN CERTIFICATE-----\nnone\n")
    executor = ("--executor", "tls://127.0.0.1:1")
    assert "expected PEM files under distributed.comm.tls" in refusal(start(tmp_path / "run", *executor))
    Path(tls["ca-file"]).unlink()
    assert "No such file" in refusal(start(tmp_path / "run", *executor))
    faults.survived(kind, 2)


class Intruder:
    """A result whose unpickling would leave a mark."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@FULL
def test_a_result_that_is_code(cluster, tmp_path, faults):
    """What is neither numbers nor texts does not travel from a worker: its block has failed, and nothing has run."""
    kind = "result that is code"
    faults.tried(kind)
    cluster.add_worker()
    results = run_blocks(
        lambda path: Intruder(path),
        [str(tmp_path / "came")],
        executor_factory=lambda: DaskExecutor(cluster.address),
        window=1,
        split=lambda path: None,
    )
    ((_, failure),) = results
    assert failure.reason.startswith("TypeError: a value of type Intruder cannot travel in a message")
    assert not (tmp_path / "came").exists()
    faults.survived(kind)
