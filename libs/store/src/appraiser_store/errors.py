"""Errors of this library.

StoreError
├── LandingError         a path does not lie in the landing area
├── LakeError            a folder or a table of the lake cannot be used
│   ├── ForeignLakeError     the folder holds something else, or a lake that was made elsewhere
│   ├── LakeSchemaError      a table of the lake was written by another version of the code
│   ├── RowsError            the rows given do not fit the table
│   └── SnapshotError        the table has no such snapshot
├── HistoryError         the history has no answer
│   ├── InstantError         what was asked about is no instant of the past
│   └── NoChampionThenError  no version was the champion at that instant
└── LedgerError          the database of the ledger cannot be used
    ├── ForeignLedgerError   the database cannot be opened, or is no database
    ├── LedgerSchemaError    a table of the ledger has other columns than this version of the code
    ├── LedgerVersionError   the ledger was changed by a later version of this library
    ├── UnknownBatchError    something is to be recorded of a batch that the ledger does not know
    ├── UnknownFetchError    a fetch is finished that was never begun
    ├── UnknownPredictionError  a sale is reported of a house whose appraisal is not on record
    └── RefusedPredictionError  an appraisal breaks a rule of the table
"""

import datetime as dt
from collections.abc import Collection


class StoreError(Exception):
    """Base of every error that this library raises."""


class LandingError(StoreError):
    """A path does not lie in the landing area."""

    def __init__(self, landed_path: str) -> None:
        self.landed_path = landed_path
        super().__init__(
            f"{landed_path!r} is no path in the landing area. Give the path that `Landing.land` returned, "
            "or `Batch.landing_path`."
        )


class LakeError(StoreError):
    """A folder or a table of the lake cannot be used."""


class ForeignLakeError(LakeError):
    """A folder holds something else than a lake, or a lake that was made in another place."""

    def __init__(self, root: str, problem: str) -> None:
        self.root = root
        super().__init__(
            f"{root!r} cannot be opened as a lake: {problem}. "
            "Name an empty folder, or the one in which the lake was made."
        )


class LakeSchemaError(LakeError):
    """A table of the lake has other columns, or other things in them, than this version writes."""

    def __init__(self, table: str, differences: Collection[str]) -> None:
        self.table = table
        self.differences = tuple(differences)
        super().__init__(
            f"the lake's table {table!r} was made by another version of appraiser_store: "
            f"{'; '.join(self.differences)}. "
            "Use the version that made it, or start over with a new folder and a new ledger, which says what was "
            "ingested ('./appraiser up --fresh' gives both), and ingest the batches again."
        )


class RowsError(LakeError):
    """Rows do not fit the table that they are meant for."""

    def __init__(self, table: str, problem: str) -> None:
        self.table = table
        super().__init__(
            f"the rows do not fit the table {table!r}: {problem}. `appraiser_store.lake_schema` names its columns."
        )


class SnapshotError(LakeError):
    """A table has no such snapshot."""

    def __init__(self, table: str, snapshot_id: int) -> None:
        self.table = table
        self.snapshot_id = snapshot_id
        super().__init__(
            f"the table {table!r} of this lake has no snapshot {snapshot_id!r}. "
            "Take the number from this lake's own batches or models."
        )


class HistoryError(StoreError):
    """The history has no answer to what it was asked."""


class InstantError(HistoryError):
    """What was asked about is no instant of the past.

    Attributes:
        instant: As it was given.
        problem: What is wrong with it.
    """

    def __init__(self, instant: str, problem: str) -> None:
        self.instant = instant
        self.problem = problem
        super().__init__(
            f"the instant {instant!r} {problem}. Give one of the past with its zone, such as '2026-11-24T10:00Z'."
        )


class NoChampionThenError(HistoryError):
    """No version was the champion at that instant.

    Attributes:
        at: The instant.
        first: When the first champion came; None where there never was one.
    """

    def __init__(self, at: dt.datetime, first: dt.datetime | None) -> None:
        self.at = at
        self.first = first
        came = f"the first one came at {first.isoformat()}" if first else "there never was one"
        super().__init__(f"no version was in production at {at.isoformat()}: {came}.")


class LedgerError(StoreError):
    """The database of the ledger cannot be used."""


class ForeignLedgerError(LedgerError):
    """The database cannot be opened, or is no database."""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        super().__init__(
            f"{url!r} cannot be opened as a ledger: {problem}. Give the URL of a database, such as "
            "'sqlite:///var/ledger.db', that exists and may be written, and install its driver."
        )


class LedgerSchemaError(LedgerError):
    """A table of the ledger has other columns than this version of the code reads."""

    def __init__(self, table: str, missing: Collection[str], unexpected: Collection[str]) -> None:
        self.table = table
        self.missing = tuple(missing)
        self.unexpected = tuple(unexpected)
        parts = [f"it lacks {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"it has the unexpected {', '.join(map(repr, unexpected))}"] if unexpected else []
        super().__init__(
            f"the ledger's table {table!r} was made by another version of appraiser_store: {' and '.join(parts)}. "
            "Use the version that made it, or start over with a new database and a new lake ('./appraiser up --fresh' "
            "gives both) and run the pipeline again."
        )


class LedgerVersionError(LedgerError):
    """The ledger was changed by a later version of this library.

    Attributes:
        found: Number of its latest change.
        known: Number of the latest change that this version knows.
    """

    def __init__(self, found: str, known: str) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"the ledger was changed by a later version of appraiser_store: its tables have the version {found!r}, and "
            f"this one knows {known!r} at most. Use that version, or bring back the ledger's backup from before."
        )


class UnknownBatchError(LedgerError):
    """Something is to be recorded of a batch that the ledger does not know."""

    def __init__(self, what: str, batch_number: int) -> None:
        self.batch_number = batch_number
        super().__init__(
            f"the {what} is about batch {batch_number!r}, which the ledger does not know. Save the batch first."
        )


class UnknownFetchError(LedgerError):
    """A fetch is finished that was never begun."""

    def __init__(self, fetch_id: int) -> None:
        self.fetch_id = fetch_id
        super().__init__(f"the ledger has no fetch {fetch_id!r}. Give the number that `Ledger.begin_fetch` returned.")


class UnknownPredictionError(LedgerError):
    """A sale is reported of a house whose appraisal is not on record."""

    def __init__(self, request_id: str, row: int) -> None:
        self.request_id = request_id
        self.row = row
        super().__init__(
            f"the ledger has no appraisal with the request id {request_id!r} and row {row!r}. Give the `request_id` of "
            "an appraisal that was answered and is still kept, and for a table the row's number in it."
        )


class RefusedPredictionError(LedgerError):
    """Appraisals are to be recorded of which one breaks a rule of the table; none of them was recorded."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the ledger refused these appraisals, and will whenever they come again: {reason}. Record them one by one "
            "to find the one that is at fault."
        )
