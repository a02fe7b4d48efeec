"""Groups that were lost with the block that held them, made again before anything is fitted or scored.

Rows of groups are shared by all methods of a replicate and stored with the first. Where that block was set aside as
damaged, the others' fits cannot be scored without them. Data come from keys, so they are simulated again, not fitted;
a run that stops right after it scores to the same rows as before for every method that lost nothing.
"""

from simstudy.errors import RunError, printable
from simstudy.fitting.blocks import Block
from simstudy.fitting.fitting import simulate_groups
from simstudy.fitting.reasons import reason_of
from simstudy.logs import log
from simstudy.store import RunWriter
from simstudy.study.study import Study

DATA_AT_ONCE = 1000


def restore_groups(study: Study, writer: RunWriter) -> None:
    """Simulate and store the groups that usable fits of a run are without.

    Raises:
        RunError: the data cannot be simulated any more.
    """
    index = {scenario.identity: s for s, scenario in enumerate(study.scenarios)}
    lost = [
        (index[scenario], int(r)) for (scenario,), rs in writer.lost_groups().items() if scenario in index for r in rs
    ]
    for start in range(0, len(lost), DATA_AT_ONCE):
        block = Block(study=study, method=0, fits=tuple(lost[start : start + DATA_AT_ONCE]))
        try:
            groups = simulate_groups(block)
        except (Exception, SystemExit) as error:  # simulators are the user's
            raise RunError(
                f"{printable(str(writer.folder))} has lost the groups of {len(lost)} data sets, and they cannot be "
                f"simulated again ({printable(reason_of(error))}); restore what the run was made with"
            ) from None
        writer.write_groups(groups)
    if lost:
        log.warning("the groups of %d data sets were lost with a block; they were simulated again", len(lost))
