"""Trains a version again from its snapshot, batches and configuration, and compares the files byte for byte."""

import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from pydantic import Field

from appraiser_features import CODE_FINGERPRINT
from appraiser_model import Bundle, Card, ValuationModel, read_card
from appraiser_model.bundle import MANIFEST, read_files
from appraiser_model.card import library_versions
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import RowsGoneError, SnapshotGoneError
from appraiser_pipeline.steps.train_model import train_on
from appraiser_schema import Record
from appraiser_store import SnapshotError, Table

NOT_COMPARED: Final = "card.json"
"""Tells when the version was trained and how long it took, so it is another one at every training. No price depends
on it."""

_DIGITS: Final = 16
_UNEXPLAINED: Final = (
    "Nothing that is on record is different: libraries, code and the number of listings are those of the first "
    "training. That leaves another kind of processor, or a card that does not tell what was done."
)


class ComparedFile(Record):
    """One file of the version, as it was registered and as it was made again."""

    name: str
    registered: str = Field(description="SHA-256, hexadecimal.")
    retrained: str = Field(description="SHA-256, hexadecimal.")
    same: bool


class Reproduction(Record):
    """What came of training a version again."""

    version: int
    identical: bool = Field(description="Whether every file that decides a price is the same, byte for byte.")
    snapshot_id: int
    batches: tuple[int, ...]
    rows_train: int = Field(description="Listings that were trained on this time.")
    seconds: float
    files: tuple[ComparedFile, ...]
    not_compared: tuple[str, ...] = (NOT_COMPARED,)
    differences: tuple[str, ...] = Field(description="In what this training differs from the first, as far as known.")


def reproduce_version(context: Context, version: int) -> Reproduction:
    """Train a version again and compare. Nothing is registered, and no table is written.

    What the version was trained with is read from the card in its own files, whose digest the registry has.

    Raises:
        UnknownVersionError: There is no such version.
        DigestError: Its files are damaged.
        BundleError: Its files or their card were written by code that this code cannot follow.
        SnapshotGoneError: The lake no longer has the snapshot.
        RowsGoneError: The snapshot no longer has all of its rows.
        TrainingError: Nothing can be trained on them.
    """
    digest = context.registry.version(version).bundle_digest
    with tempfile.TemporaryDirectory() as scratch:
        folder = context.registry.download(version, Path(scratch) / "bundle")
        # What is there is compared, not what it says of itself.
        registered = {name: sha256(content).hexdigest() for name, content in read_files(folder, digest).items()}
        card = read_card(folder)
    start = time.perf_counter()
    model = _train(context, version, card)
    retrained = Bundle(model, card).digests
    files = tuple(
        ComparedFile(name=name, registered=digest, retrained=retrained[name], same=digest == retrained[name])
        for name, digest in registered.items()
        if name not in (NOT_COMPARED, MANIFEST)
    )
    rows = model.log.rows_train if model.log else 0
    return Reproduction(
        version=version,
        identical=all(file.same for file in files),
        snapshot_id=card.snapshot_id,
        batches=card.batches,
        rows_train=rows,
        seconds=round(time.perf_counter() - start, 3),
        files=files,
        differences=tuple(_differences(context, card, rows)),
    )


def in_words(found: Reproduction) -> str:
    """What came of it, for people."""
    batches = ", ".join(map(str, found.batches))
    lines = [
        f"Version {found.version} was trained again in {found.seconds:.1f} s.",
        f"Snapshot {found.snapshot_id}, batches {batches}, {found.rows_train:,} listings to train on.",
        "",
        f"{'file':15} {'registered':{_DIGITS}}  {'retrained':{_DIGITS}}  same",
        *(
            f"{file.name:15} {file.registered[:_DIGITS]}  {file.retrained[:_DIGITS]}  {'yes' if file.same else 'NO'}"
            for file in found.files
        ),
        "",
    ]
    if found.identical:
        lines.append("Identical: every file that decides a price is the same, byte for byte.")
    else:
        changed = ", ".join(file.name for file in found.files if not file.same)
        lines.append(f"NOT identical: {changed} {'differ' if ',' in changed else 'differs'}.")
    lines.append(f"{NOT_COMPARED} is not compared: it tells when the version was trained.")
    if found.differences:
        lines += ["", "What is different from the first training:", *(f"- {text}" for text in found.differences)]
    elif not found.identical:
        lines += ["", _UNEXPLAINED]
    return "\n".join(lines)


def _train(context: Context, version: int, card: Card) -> ValuationModel:
    """Train as the step did: on every batch up to the one that asked for the version."""
    try:
        held = context.lake.batch_rows(Table.CLEAN, card.snapshot_id)
        if gone := sorted(set(card.batches) - set(held)):
            missing = f"no row of batch {', '.join(map(str, gone))}"
            raise RowsGoneError(version, card.snapshot_id, missing)
        return train_on(context, range(card.batch_number + 1), card.snapshot_id, card.config)
    except SnapshotError:
        raise SnapshotGoneError(version, card.snapshot_id, str(context.settings.lake)) from None
    except FileNotFoundError as error:
        raise RowsGoneError(version, card.snapshot_id, str(error)) from error


def _differences(context: Context, card: Card, rows_train: int) -> Iterator[str]:
    now = library_versions()
    for name, then in card.libraries.items():
        if now.get(name) != then:
            yield f"{name} was {then} and is {now.get(name, 'absent')}"
    if card.features_fingerprint != CODE_FINGERPRINT:
        yield f"the feature code was {card.features_fingerprint[:_DIGITS]} and is {CODE_FINGERPRINT[:_DIGITS]}"
    if card.code_version != context.code_version:
        yield f"the code was {card.code_version} and is {context.code_version}"
    if card.code_version == "unknown" or card.code_version.endswith("-dirty"):
        yield f"the code that trained it ({card.code_version}) is in no commit as it was"
    if card.rows_train != rows_train:
        yield f"there were {card.rows_train:,} listings to train on and are {rows_train:,}"
