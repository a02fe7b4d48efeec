import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import psutil
import pytest

from simstudy.errors import RunError, StudyError
from simstudy.executors import (
    BlockFailure,
    InProcessExecutor,
    WorkerDied,
    cache_folder,
    local_executor,
    run_blocks,
    worker_environment,
)
from simstudy.executors.admission import admit, required_versions
from simstudy.executors.where import Where, window
from simstudy.executors.worker import READY, allowed_cores, claim_core, serve

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Job:
    """An item: numbers to square, of which some end the process that meets them."""

    numbers: tuple[int, ...]
    deadly: frozenset[int] = frozenset()
    program: str | None = None
    seconds: float = 0.0
    meeting: Path | None = None


def halve(job):
    middle = len(job.numbers) // 2
    parts = (job.numbers[:middle], job.numbers[middle:])
    return tuple(replace(job, numbers=part) for part in parts) if middle else None


def square(job):
    time.sleep(job.seconds)
    if job.deadly & set(job.numbers):
        os.kill(os.getpid(), signal.SIGKILL)
    return [n**2 for n in job.numbers]


def meet(place):
    """Wait until two processes have come here."""
    (place / str(os.getpid())).touch()
    wait_until(lambda: len(list(place.iterdir())) == 2)


def timed(job):
    started = time.monotonic()
    if job.meeting:
        meet(job.meeting)
    time.sleep(job.seconds)
    return started, time.monotonic(), os.getpid()


def die_once(marker):
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "second time"


def describe_process(meeting):
    meet(meeting)
    names = [*worker_environment(), "MARK"]
    return os.getpid(), sorted(os.sched_getaffinity(0)), {name: os.environ.get(name) for name in names}


def raise_error(error):
    raise error


def make_unpicklable(_):
    return lambda: None


class AwkwardError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def raise_awkward(_):
    raise AwkwardError(1, 2)


def processor_share(_):
    """Processor seconds per second of wall-clock of a product of matrices that XLA would spread over threads."""
    import jax.numpy as jnp

    x = jnp.ones((1000, 1000))
    (x @ x).block_until_ready()
    wall, used = time.perf_counter(), time.process_time()
    for _ in range(10):
        (x @ x).block_until_ready()
    return (time.process_time() - used) / (time.perf_counter() - wall)


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


DIES_ONCE = """
    import os, pathlib, signal
    marker = pathlib.Path(os.environ["MARKER"])
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""


class TestLocalExecutor:
    """Worker processes behind the interface of concurrent.futures."""

    def test_workers_have_their_core_and_environment(self, tmp_path):
        """Each worker is another process, pinned to a core of its own where one is free, with one environment."""
        with local_executor(2, environment={"MARK": "x"}) as executor:
            found = list(executor.map(describe_process, [tmp_path] * 2))
        pids, cores, environments = zip(*found, strict=True)
        assert len({*pids, os.getpid()}) == 3
        allowed = sorted(os.sched_getaffinity(0))
        pinned = [core[0] for core in cores if core != allowed]
        assert set(pinned) <= set(allowed)
        assert len(set(pinned)) == len(pinned)
        assert environments[0] == environments[1] == worker_environment({"MARK": "x"})

    def test_errors_of_tasks(self):
        """An exception of a task arrives with the worker's traceback, one that cannot travel as text."""
        with local_executor(1) as executor:
            error = executor.submit(raise_error, ValueError("bad")).exception()
            assert isinstance(error, ValueError)
            assert "raise_error" in error.__notes__[0]
            assert str(executor.submit(raise_awkward, None).exception()) == "AwkwardError: 1 and 2"
            assert executor.submit(make_unpicklable, None).exception() is not None
            assert executor.submit(pow, 2, 3).result() == 8

    def test_a_dead_worker_fails_its_own_task_only(self):
        """The future of the task whose worker died says so; tasks before, beside and after it return."""
        jobs = [Job((k,), deadly=frozenset({2}), seconds=0.05) for k in range(6)]
        with local_executor(2) as executor:
            futures = [executor.submit(square, job) for job in jobs]
            error = futures[2].exception()
            assert [f.result() for k, f in enumerate(futures) if k != 2] == [[k**2] for k in range(6) if k != 2]
        assert isinstance(error, WorkerDied)
        assert str(error) == "the worker process was ended by SIGKILL"

    def test_a_worker_that_cannot_start(self, capfd):
        """Workers that end before they are ready are misuse, not the fault of a task."""
        with local_executor(1, environment={"PYTHONHOME": "/nowhere"}) as executor:
            error = executor.submit(pow, 2, 3).exception()
        assert isinstance(error, RunError)
        assert str(error).startswith("a worker process ended with exit code 1 before it was ready")

    def test_a_worker_killed_while_it_starts(self, tmp_path):
        """No task is blamed, and none is lost: another process starts."""
        (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(DIES_ONCE))
        environment = {"PYTHONPATH": str(tmp_path), "MARKER": str(tmp_path / "marker")}
        with local_executor(1, environment=environment) as executor:
            assert executor.submit(pow, 2, 3).result() == 8
        assert (tmp_path / "marker").exists()

    def test_number_of_workers(self):
        """No workers is refused, with the alternative."""
        with pytest.raises(RunError, match="workers = 0; expected at least 1, or an InProcessExecutor"):
            local_executor(0)

    def test_shutdown_at_once(self, tmp_path):
        """Shut down without waiting, busy workers end now and waiting tasks are cancelled."""
        executor = local_executor(1)
        busy = executor.submit(timed, Job((), meeting=tmp_path))
        waiting = executor.submit(pow, 2, 3)
        wait_until(lambda: list(tmp_path.iterdir()))
        executor.shutdown(wait=False)
        assert isinstance(busy.exception(timeout=PATIENCE_SECONDS), WorkerDied)
        assert waiting.cancelled()
        with pytest.raises(RuntimeError, match="shut down"):
            executor.submit(pow, 2, 3)

    def test_a_program_stays_with_its_worker(self, tmp_path):
        """With one program per worker and all tasks queued, no worker takes the other's while it has its own."""
        jobs = [
            Job((), program=p, meeting=tmp_path if k < 2 else None, seconds=0.05) for k, p in enumerate("abaabbabab")
        ]
        with local_executor(2) as executor:
            futures = [executor.submit(timed, job) for job in jobs]
            results = [future.result() for future in futures]
        home = dict(zip("ab", (worker for *_, worker in results), strict=False))
        assert home["a"] != home["b"]
        program_of = {worker: program for program, worker in home.items()}
        for job, (started, _, worker) in zip(jobs, results, strict=True):
            if worker != home[job.program]:
                # It has none of its own left: all of them have begun, whoever is the faster of the two.
                own = [
                    result for other, result in zip(jobs, results, strict=True) if other.program == program_of[worker]
                ]
                assert all(own_started < started for own_started, *_ in own)


SCRIPT = """
    import json, os, sys, time
    from simstudy.executors import local_executor, run_blocks

    def slowly(k):
        print(json.dumps(os.getpid()), flush=True)
        time.sleep(float(sys.argv[1]))
        return OFFSET + k

    OFFSET = 40
    executor = local_executor(2)
    futures = [executor.submit(slowly, k) for k in range(2)]
    print(json.dumps([future.result() for future in futures]), flush=True)
    executor.shutdown()
"""


@pytest.fixture
def script(tmp_path):
    """A script without a ``__main__`` guard, whose task is a function of its own."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def start_script(script, seconds):
    return subprocess.Popen(
        [sys.executable, str(script), str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip


class TestDriver:
    """Scripts that drive workers, and end."""

    def test_script_without_guard(self, script):
        """A script needs no ``__main__`` guard and may use functions and globals of its own."""
        command = [sys.executable, str(script), "0"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        assert json.loads(lines[-1]) == [40, 41]
        assert len(lines) == 3

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_workers_end_with_their_driver(self, script, number):
        """Killed, terminated or interrupted (Ctrl-C reaches the whole group), a driver leaves no worker behind."""
        with start_script(script, 60) as driver:
            workers = [json.loads(driver.stdout.readline()) for _ in range(2)]
            children = [child.pid for child in psutil.Process(driver.pid).children(recursive=True)]
            assert set(workers) <= set(children)
            if number == signal.SIGINT:
                os.killpg(driver.pid, number)
            else:
                driver.send_signal(number)
            driver.wait(PATIENCE_SECONDS)
        wait_until(lambda: all(is_gone(pid) for pid in children))

    def test_a_worker_whose_driver_is_gone_ends_without_an_error(self):
        """The answer that nobody waits for is dropped."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        worker = context.Process(target=serve, args=(theirs, os.getpid()))
        worker.start()
        theirs.close()
        assert ours.recv_bytes() == READY
        ours.send_bytes(pickle.dumps((time.sleep, (0.3,), {})))
        ours.close()
        worker.join(PATIENCE_SECONDS)
        assert worker.exitcode == 0


def run_squares(jobs, executor_factory, *, window=4, task=square, **options):
    return run_blocks(task, jobs, executor_factory=executor_factory, window=window, split=halve, **options)


def by_number(results):
    """Number -> its square, or the reason of its failure."""
    found = {}
    for job, result in results:
        values = [result.reason] * len(job.numbers) if isinstance(result, BlockFailure) else result
        found |= dict(zip(job.numbers, values, strict=True))
    return found


POOLS = {
    "local": lambda: local_executor(2),
    "concurrent.futures": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
}


class TestRunBlocks:
    """Blocks come back, whatever happens to workers."""

    @pytest.mark.parametrize("pool", POOLS)
    def test_one_deadly_fit(self, pool):
        """The one fit that ends workers is found by halving and fails alone; on any executor all others return."""
        jobs = [Job(tuple(range(4 * k, 4 * k + 4)), deadly=frozenset({5}), seconds=0.02) for k in range(4)]
        found = by_number(run_squares(jobs, POOLS[pool]))
        assert found == {n: n**2 for n in range(16)} | {5: "worker died"}

    def test_a_worker_killed_once(self, tmp_path):
        """A block whose worker died once runs again and returns."""
        marker = tmp_path / "marker"
        results = run_blocks(
            die_once, [marker], executor_factory=lambda: local_executor(1), window=2, split=lambda _: None
        )
        assert list(results) == [(marker, "second time")]

    def test_a_task_that_raises(self):
        """An exception is the failure of its block, with its text in one line; the others return."""
        jobs = [ValueError("bad\n  news"), 3]
        factory = InProcessExecutor
        task = lambda job: raise_error(job) if isinstance(job, Exception) else job  # noqa: E731
        (bad, failure), good = run_blocks(task, jobs, executor_factory=factory, window=1, split=lambda _: None)
        assert failure == BlockFailure(reason="ValueError: bad news", error=bad)
        assert good == (3, 3)

    def test_misuse_ends_the_loop(self):
        """An error that the user must mend is raised, not recorded."""
        with pytest.raises(StudyError, match="no such prior"):
            list(run_squares([StudyError("no such prior")], lambda: local_executor(1), task=raise_error))

    def test_a_program_is_compiled_once(self):
        """Programs start in their order; others of a program start after its first has returned, then take turns."""
        jobs = [Job((k,), program=p) for p in "ab" for k in range(3)] + [Job((9,), program="c")]
        order = [(job.program, job.numbers[0]) for job, _ in run_squares(jobs, InProcessExecutor)]
        assert order == [("a", 0), ("b", 0), ("c", 9), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]

    def test_a_program_is_not_compiled_by_two_workers(self, tmp_path):
        """With real workers, no task of a program runs while its first one does, and programs run side by side."""
        meetings = [tmp_path, None, None]
        jobs = [Job((k,), program=p, seconds=0.1, meeting=place) for p in "ab" for k, place in enumerate(meetings)]
        spans = {(job.program, job.numbers[0]): span for job, span in run_squares(jobs, POOLS["local"], task=timed)}
        for p in "ab":
            assert min(spans[p, 1][0], spans[p, 2][0]) >= spans[p, 0][1]
        assert spans["a", 0][2] != spans["b", 0][2]

    def test_a_deadly_first_block_does_not_hold_up_its_program(self):
        """Where a program's first block ends its workers, another leads, and all others return."""
        jobs = [Job((k,), deadly=frozenset({0}), program="a") for k in range(3)]
        assert by_number(run_squares(jobs, POOLS["local"])) == {0: "worker died", 1: 1, 2: 4}

    def test_window(self):
        """No more than the window is in flight, however many wait, and it is used; it may follow the executor."""
        in_flight = []
        full = threading.Event()

        class Watched(ThreadPoolExecutor):
            futures = ()

            def submit(self, *args):
                future = super().submit(*args)
                self.futures = [f for f in (*self.futures, future) if not f.done()]
                in_flight.append(len(self.futures))
                if len(self.futures) == 3:
                    full.set()
                return future

        def after_the_window_is_full(job):
            full.wait(PATIENCE_SECONDS)
            return square(job)

        jobs = [Job((k,)) for k in range(20)]
        window = lambda executor: executor._max_workers + 1  # noqa: E731
        results = run_squares(jobs, lambda: Watched(2), window=window, task=after_the_window_is_full)
        assert by_number(results) == {k: k**2 for k in range(20)}
        assert max(in_flight) == 3

    def test_stop(self):
        """Once told to stop, the loop yields what has begun and sends nothing more."""
        done = []
        jobs = [Job((k,), seconds=0.01) for k in range(50)]
        for job, _ in run_squares(jobs, lambda: ThreadPoolExecutor(2), window=4, stop=lambda: len(done) >= 3):
            done.append(job)
        assert 3 <= len(done) <= 3 + 4

    def test_what_has_not_begun_is_called_back(self):
        """With one thread and a window of 4, stopping after the first block leaves at most the one that has begun."""
        begun, done = [], []

        def begin(job):
            begun.append(job)
            return square(job)

        results = run_squares(
            [Job((k,)) for k in range(50)], lambda: ThreadPoolExecutor(1), task=begin, stop=lambda: bool(done)
        )
        for job, _ in results:
            done.append(job)
        assert done == begun

    def test_abandon(self):
        """Once its time is over, the loop ends within a moment and its workers with it, whatever they are doing."""
        pool = local_executor(1)
        results = run_squares([Job((), seconds=3600)], lambda: pool, task=timed, abandon=lambda: bool(pool._workers))
        assert list(results) == []
        wait_until(lambda: not pool._workers)

    def test_an_executor_that_cannot_be_replaced(self):
        """Where an executor stays broken the run ends with what to do."""
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        jobs = [Job((1,), deadly=frozenset({1}))]
        with pytest.raises(RunError, match="the executor is broken and cannot be replaced"):
            list(run_squares(jobs, lambda: pool))

    def test_results_come_as_they_finish(self):
        """A long block does not hold up the short ones."""
        others_came = threading.Event()

        def wait_for_others(job):
            if job.numbers == (0,):
                others_came.wait(PATIENCE_SECONDS)

        order = []
        jobs = [Job((k,)) for k in range(5)]
        for job, _ in run_squares(jobs, lambda: ThreadPoolExecutor(2), task=wait_for_others):
            order.append(job.numbers[0])
            if len(order) == 4:
                others_came.set()
        assert order == [1, 2, 3, 4, 0]

    def test_an_abandoned_loop_ends_its_workers(self):
        """A loop that is left in the middle ends the workers of the blocks in flight."""
        jobs = [Job((), seconds=0.0), Job((), seconds=60)]
        results = run_squares(jobs, POOLS["local"], task=timed)
        next(results)
        workers = [p.pid for p in psutil.Process().children() if "loky" in " ".join(p.cmdline())]
        results.close()
        trackers = [pid for pid in workers if psutil.pid_exists(pid) and "tracker" in "".join(cmdline(pid))]
        wait_until(lambda: all(is_gone(pid) for pid in set(workers) - set(trackers)))


def cmdline(pid):
    try:
        return psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


CLAIM = """
    import os, sys
    from simstudy.executors.worker import claim_core
    claim = claim_core(sorted(os.sched_getaffinity(0)), scope=sys.argv[1])
    print(sorted(os.sched_getaffinity(0)) if claim else "none", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cores are claimed on Linux only")
def test_cores_are_shared_between_studies():
    """Processes of one machine claim different cores; when none is free, one runs unpinned; a dead one's is free."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    code = textwrap.dedent(CLAIM).replace("sorted(os.sched_getaffinity(0)),", f"{cores},")
    command = [sys.executable, "-c", code, f"test-{os.getpid()}"]

    def claim():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, text=True, **pipes)
        return process, process.stdout.readline().strip()

    holders = [claim() for _ in range(len(cores) + 1)]
    assert [line for _, line in holders] == [*(f"[{core}]" for core in cores), "none"]
    holders[0][0].kill()
    holders[0][0].wait()
    again = claim()
    assert again[1] == f"[{cores[0]}]"
    for process, _ in [*holders, again]:
        with process:
            process.kill()


class TestWhere:
    """Where fits run, as a user says it."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"executor": "cloud"}, "--executor: got 'cloud'; expected local, dask://HOST:PORT or tls://HOST:PORT"),
            ({"executor": "dask://h:1", "platform": "gpu"}, "--platform gpu computes in this process"),
            ({"executor": "dask://h:1", "workers": 2}, "--workers counts processes of this machine"),
            ({"executor": "tls://h:1", "workers": 2}, "--workers counts processes of this machine"),
        ],
    )
    def test_what_does_not_go_together(self, options, message):
        """Options that contradict each other are refused before anything starts."""
        with pytest.raises(RunError) as caught:
            Where(**options)
        assert message in str(caught.value)

    def test_a_users_executor_outlives_the_run(self):
        """It is used as it is and not shut down; the window follows the number of workers."""
        with ThreadPoolExecutor(3) as pool:
            executor = Where(executor=pool, workers=3).start()
            assert window(executor) == 6
            executor.shutdown(wait=False)
            assert executor.submit(pow, 2, 3).result() == 8

    def test_dask_that_is_not_installed(self, monkeypatch):
        """The message names the command that installs it."""
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(RunError, match=r"needs Dask, which is not installed: .* pip install 'simstudy\[dask\]'"):
            Where(executor="dask://127.0.0.1:1").start()

    def test_tls_without_certificates(self):
        """The message names the keys of Dask's configuration that are missing, and where they are explained."""
        pytest.importorskip("distributed")
        dask = pytest.importorskip("dask")
        none = dict.fromkeys(f"distributed.comm.tls.{name}" for name in ("ca-file", "client.cert", "client.key"))
        with dask.config.set(none), pytest.raises(RunError) as caught:
            Where(executor="tls://127.0.0.1:1").start()
        keys = "distributed.comm.tls.ca-file and distributed.comm.tls.client.cert"
        assert f"Dask's configuration names no {keys}; see docs/clusters.md" in str(caught.value)

    @pytest.mark.parametrize(("workers", "gb"), [(0, 4), (1, 2)])
    def test_too_little_address_space(self, monkeypatch, workers, gb):
        """A compiler that would end the process without a word is not started; the message says what it takes."""
        monkeypatch.setattr(resource, "getrlimit", lambda which: (1_500_000_000, 1_500_000_000))
        with pytest.raises(RunError) as caught:
            Where(workers=workers).start()
        message = str(caught.value)
        assert message.startswith(f"the limit on address space is 1.5 GB here, and compiling models takes {gb} GB")
        assert message.endswith("raise it with `ulimit -v`, or ask the batch system for more memory")

    def test_a_system_that_does_not_tell_its_cores(self, monkeypatch):
        """Where affinity is refused, a process per core of the machine is assumed, and none is pinned."""

        def refuse(*_):
            raise PermissionError(1, "Operation not permitted")

        for name in ("sched_getaffinity", "sched_setaffinity"):
            monkeypatch.setattr(os, name, refuse, raising=False)
        assert allowed_cores() == []
        assert Where().n_processes == os.cpu_count()
        assert claim_core([0], scope=f"refused-{os.getpid()}") is None

    def test_versions_are_compared(self):
        """A worker with another version is refused by the package's name, with both versions and what to do."""
        assert admit(required_versions() | {"numpyro": "0.1"}).startswith("has numpyro ")
        assert admit(required_versions() | {"jax": "0.1"}).endswith(
            f"jax {required_versions()['jax']} instead of 0.1; install the driver's versions there"
        )


class TestEnvironment:
    """What workers find when they start."""

    def test_cache_folder(self, monkeypatch):
        """The cache is where SIMSTUDY_CACHE_DIR says, else in the user's cache folder."""
        monkeypatch.setenv("SIMSTUDY_CACHE_DIR", "/a/b")
        assert cache_folder() == Path("/a/b")
        monkeypatch.delenv("SIMSTUDY_CACHE_DIR")
        monkeypatch.setenv("XDG_CACHE_HOME", "/c")
        assert cache_folder() == Path("/c/simstudy")
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == Path.home() / ".cache" / "simstudy"

    def test_own_flags_are_kept(self, monkeypatch):
        """XLA_FLAGS of the user come first and ours are added once."""
        monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
        flags = worker_environment()["XLA_FLAGS"]
        assert flags == "--xla_a=1 --xla_cpu_multi_thread_eigen=false"
        monkeypatch.setenv("XLA_FLAGS", flags)
        assert worker_environment()["XLA_FLAGS"] == flags

    def test_xla_in_workers(self, tmp_path):
        """XLA uses one processor at most (and 5 % for other threads); a second worker compiles nothing anew."""
        entries = []
        for _ in range(2):
            with local_executor(1, environment={"JAX_COMPILATION_CACHE_DIR": str(tmp_path)}) as executor:
                assert executor.submit(processor_share, None).result() < 1.05
            entries.append({path.name for path in tmp_path.iterdir() if path.name.endswith("-cache")})
        assert entries[0] == entries[1] != set()


def test_far_more_workers_than_cores_are_refused():
    """As on the command line; an executor of one's own has its own number."""
    with pytest.raises(RunError, match=r"--workers 10000: expected 0 to \d+, since this process may use \d+ core"):
        Where(workers=10_000)
    with pytest.raises(RunError, match="expected 0 to"):
        Where(workers=-1)
    with ThreadPoolExecutor(1) as pool:
        assert Where(workers=10_000, executor=pool).n_processes == 10_000
