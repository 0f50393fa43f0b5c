"""Errors of the pipeline.

PipelineError
├── SourceError             the listing API could not be asked
│   ├── SourceAwayError     it does not answer, and was not asked for a batch yet
│   ├── LostBatchError      it was asked and its answer did not arrive whole
│   ├── SourceRefusedError  it refused the group or the day
│   └── OtherSourceError    the ledger holds batches of another source
├── OtherLakeError          the ledger tells of batches that are not in this lake
├── ReplayError             a replay did not bring the batch that is due, or brought another one under its number
├── StoppedBatchError       a batch is not fit for use and nothing of it was taken
├── PolicyError             a threshold was asked for that no policy has, or with a value that it cannot take
├── TrashError              what was deleted in MLflow could not be removed for good
├── AddressError            nobody can listen where the metrics were to be told
├── ReproductionError       a version cannot be trained again
│   ├── SnapshotGoneError   the lake no longer has its snapshot
│   └── RowsGoneError       the snapshot no longer has all of its rows
└── OrderError              a step was called before the step that it builds on
"""


class PipelineError(Exception):
    """Base of every error that the pipeline raises."""


class SourceError(PipelineError):
    """The listing API could not be asked."""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        super().__init__(f"the listing API at {url} {problem}")


class SourceAwayError(SourceError):
    """It does not say who it is. It was not asked for a batch, so that its cursor stands where it stood."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, f"{problem}. Start it, or set APPRAISER_FEED_URL.")


class LostBatchError(SourceError):
    """A batch was asked for and its answer did not arrive whole."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(
            url,
            f"did not answer whole: {problem}. Its cursor may have moved. Run the pipeline again: the batch "
            "is recovered by a replay.",
        )


class SourceRefusedError(SourceError):
    """The listing API refused the group or the day."""

    def __init__(self, url: str, group_number: int, day: str | None, status: int, text: str) -> None:
        super().__init__(
            url,
            f"refused group_number {group_number!r} and day {day!r} with status {status}: {text!r}. "
            "Set APPRAISER_FEED_GROUP and APPRAISER_FEED_DAY to what it knows.",
        )


class OtherSourceError(SourceError):
    """The ledger holds batches of another source; mixed, neither could be trusted."""

    def __init__(self, url: str, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(
            url,
            f"serves {found!r}, but the ledger holds batches of {expected!r}. Start over with "
            "`./appraiser up --fresh`, or keep both apart with `--home DIR`.",
        )


class OtherLakeError(PipelineError):
    """The ledger tells of batches that are not in this lake: none of them would be ingested again."""

    def __init__(self, lake: str, batch_number: int, snapshot_id: int) -> None:
        self.batch_number = batch_number
        self.snapshot_id = snapshot_id
        super().__init__(
            f"the ledger says that batch {batch_number} was cleaned into snapshot {snapshot_id}, and the lake {lake!r} "
            "has no such snapshot. Name the lake that belongs to the ledger with APPRAISER_LAKE, or start over with a "
            "new lake and a new ledger: './appraiser up --fresh' gives both."
        )


class ReplayError(PipelineError):
    """A replay did not bring what was landed before."""

    def __init__(self, batch_number: int, problem: str) -> None:
        self.batch_number = batch_number
        super().__init__(
            f"batch {batch_number}: {problem}. The source is not the one that was landed. Keep it apart with "
            "`--home DIR`, or start over with `--fresh`."
        )


class StoppedBatchError(PipelineError):
    """A batch is not fit for use. Its bytes are kept; nothing of it is in the tables."""

    def __init__(self, batch_number: int, reason: str) -> None:
        self.batch_number = batch_number
        self.reason = reason
        super().__init__(f"batch {batch_number} was stopped: {reason}")


class PolicyError(PipelineError):
    """A threshold was asked for that no policy has, or with a value that it cannot take.

    Attributes:
        name: What was to be changed.
        value: To what.
    """

    def __init__(self, name: str, value: object, problem: str) -> None:
        self.name = name
        self.value = value
        super().__init__(f"the policy's {name!r} = {value!r} is {problem}")


class ReproductionError(PipelineError):
    """A version cannot be trained again.

    Attributes:
        version: Which.
    """

    def __init__(self, version: int, problem: str) -> None:
        self.version = version
        super().__init__(f"version {version} cannot be reproduced: {problem}")


class SnapshotGoneError(ReproductionError):
    """The lake no longer has the snapshot that the version was trained on."""

    def __init__(self, version: int, snapshot_id: int, lake: str) -> None:
        self.snapshot_id = snapshot_id
        super().__init__(
            version,
            f"the lake {lake!r} has no snapshot {snapshot_id} of clean.listings. It was expired, or this is another "
            "lake than the one that the version was trained on: name that with APPRAISER_LAKE.",
        )


class RowsGoneError(ReproductionError):
    """The snapshot is there, and rows that the version was trained on are not."""

    def __init__(self, version: int, snapshot_id: int, missing: str) -> None:
        self.snapshot_id = snapshot_id
        super().__init__(
            version,
            f"snapshot {snapshot_id} of clean.listings no longer has everything that it was trained on: {missing}. "
            "Bring the files of the lake back from a backup.",
        )


class TrashError(PipelineError):
    """What was deleted in MLflow could not be removed for good."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"`mlflow gc` failed: {problem}. What it did not remove can still be restored; run it again.")


class AddressError(PipelineError):
    """Nobody can listen where the metrics were to be told."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        self.port = port
        super().__init__(
            f"nobody can listen at {host!r}, port {port!r}: {problem}. Set APPRAISER_METRICS_HOST or "
            "APPRAISER_METRICS_PORT to another."
        )


class OrderError(PipelineError):
    """A step was called before the step that it builds on."""

    def __init__(self, step: str, batch_number: int, missing: str, before: str) -> None:
        super().__init__(
            f"{step} of batch {batch_number} has no {missing} to work on. Run the step {before} of that batch first."
        )
