"""The names of the lake's tables; light, so that naming one costs nothing."""

from enum import StrEnum


class Table(StrEnum):
    """A table of the lake. Every row carries the number of its batch."""

    RAW = "raw.listings"
    CLEAN = "clean.listings"
    QUARANTINE = "quarantine.listings"
