"""A run on disk: tidy Parquet tables in parts, one writer, any number of readers.

A run folder holds ``study.json``, ``provenance.json``, ``description.json``, ``data.parquet`` where the data are a
user's own, and one folder of Parquet parts per table, each of which reads with ``pandas.read_parquet(folder)``. Fits
are stored in blocks: a block's part in ``fits/`` is written last and is its commit mark, so that a block is wholly on
disk or not there. Staged, lock and checksum files live in ``.simstudy/``, and so does the manifest, which binds study
and parts together.

``run`` reads, ``writer`` writes, ``blocks`` puts blocks on disk, ``manifest`` and ``records`` say which parts there
are, ``recovery`` finds what is not as it was written and sets it aside, ``verification`` tells, ``documents`` validates
the JSON files, ``data`` keeps a user's own data, ``group_names`` says what their groups are called, ``inside`` keeps
what is read and written within the folder, ``parts`` encodes tables, ``extension`` decides which changes of a study
extend a run, ``declared`` and ``traits`` read what a run says of its estimands, methods and mechanism, whichever
version made it.
"""

from simstudy.store.extension import Difference, study_difference
from simstudy.store.run import Run
from simstudy.store.writer import RunWriter, write_performance

__all__ = ["Difference", "Run", "RunWriter", "study_difference", "write_performance"]
