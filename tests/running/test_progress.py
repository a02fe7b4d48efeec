"""How long a run will take, when it stops, and what it says of it."""

import signal

import pytest

from simstudy.errors import StudyError
from simstudy.running.duration import read_duration
from simstudy.running.interruption import Interruption, ending_at_once
from simstudy.running.progress import RunProgress
from simstudy.running.stopping import Stopping


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_is_said_once_every_program_has_come_back():
    """Two programs, one ten times as dear: nothing is foretold from the cheap one alone, then the truth at once."""
    clock = Clock()
    progress = RunProgress({"cheap": 1000, "dear": 1000}, n_workers=lambda: 2, clock=clock)
    assert progress.outlook() == "compiling, 0 of 2 programs ready"
    clock.now = 10.0
    progress.advance("cheap", 100, seconds=1.0, compiling=9.0)
    assert progress.outlook() == "compiling, 1 of 2 programs ready, the others in about 10 s"
    clock.now = 20.0
    progress.advance("dear", 100, seconds=10.0, compiling=9.0)
    assert progress.outlook() == "10.0 fits/s, about 50 s left"  # (900 x 0.01 + 900 x 0.1) / 2 = 49.5
    assert (
        progress.summary()
        == "200 of 2000 fits in 20 s, 10.0 fits/s; 2 programs compiled or loaded, 18 s of the workers' time"
    )


@pytest.mark.parametrize("order", ["cheap first", "dear first", "mixed"])
def test_the_forecast_comes_true(order):
    """In whatever order blocks of unlike programs come, the time left is right to 1 % once all have come back."""
    seconds_per_fit = {"a": 0.01, "b": 0.04, "c": 0.25}
    compiling = 8.0
    blocks = {name: [10] + [90] * 6 for name in seconds_per_fit}
    rest = [(name, n) for name, sizes in blocks.items() for n in sizes[1:]]
    if order == "dear first":
        rest.reverse()
    elif order == "mixed":
        rest.sort(key=lambda block: block[1])
    plan = [(name, sizes[0], compiling) for name, sizes in blocks.items()] + [(*block, 0.0) for block in rest]
    total = sum(n * seconds_per_fit[name] + compile_seconds for name, n, compile_seconds in plan)
    clock = Clock()
    progress = RunProgress({name: sum(sizes) for name, sizes in blocks.items()}, clock=clock)
    for i, (name, n, compile_seconds) in enumerate(plan):
        clock.now += n * seconds_per_fit[name] + compile_seconds
        progress.advance(name, n, seconds=n * seconds_per_fit[name], compiling=compile_seconds)
        left = progress._forecast.seconds_left(n_workers=1)
        assert (left is None) == (i < 2)
        if left is not None:
            assert left == pytest.approx(total - clock.now, rel=0.01, abs=1e-9)


def test_speed_is_that_of_the_latest_time():
    """Fits per second forget what is longer ago than half a minute: here the compilation."""
    clock = Clock()
    progress = RunProgress({"a": 10_000}, clock=clock)
    clock.now = 60.0
    progress.advance("a", 10, seconds=1.0, compiling=59.0)
    for _ in range(100):
        clock.now += 1.0
        progress.advance("a", 50, seconds=1.0)
    assert progress.outlook().startswith("50.0 fits/s")


@pytest.mark.parametrize("text", ["", "30", "m", "0s", "-5m", "30 m", "1x"])
def test_no_duration(text):
    """What is no duration is refused, with examples of what is."""
    with pytest.raises(StudyError, match=r"--time-limit .*: expected a duration such as 90s, 30m, 2h or 1h30m"):
        read_duration(text, option="--time-limit")


def test_no_block_begins_that_would_not_end_in_time():
    """With blocks of 10 fits at 0.5 s, none begins in the last 5 s; at the end those that run are given up."""
    clock = Clock()
    stopping = Stopping(Interruption(), fits_per_block=10, time_limit=60.0, clock=clock)
    stopping.returned(seconds=1.0, n_fits=2)
    clock.now = 54.9
    assert not stopping.is_due()
    clock.now = 55.1
    assert stopping.is_due()
    assert not stopping.is_over()
    clock.now = 60.0
    assert stopping.is_over()
    assert stopping.reason.startswith("no further block would end within the time limit")


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_signals_wait_for_the_end_once(number, ending, capfd):
    """The first signal is noted and said, and raised at the end of the block; the second is raised at once."""
    reached = []

    def once():
        with Interruption() as interruption:
            signal.raise_signal(number)
            reached.append(interruption.signal)

    def twice():
        with Interruption():
            signal.raise_signal(number)
            signal.raise_signal(number)
            reached.append("never")

    before = signal.getsignal(number)
    for interrupted in (once, twice):
        with pytest.raises(ending) as caught:
            interrupted()
    assert reached == [number]
    assert signal.getsignal(number) is before
    assert ending is KeyboardInterrupt or caught.value.code == 143


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_where_nothing_is_kept_the_first_signal_ends_a_run(number, ending, capfd):
    """At once, without a word of parts that would be stored; the handlers of before are there again."""
    reached = []

    def interrupted():
        with ending_at_once(), Interruption():
            signal.raise_signal(number)
            reached.append("never")

    before = signal.getsignal(number)
    with pytest.raises(ending) as caught:
        interrupted()
    assert not reached
    assert signal.getsignal(number) is before
    assert ending is KeyboardInterrupt or caught.value.code == 143
    assert "stored" not in capfd.readouterr().err
