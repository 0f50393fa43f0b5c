"""Errors of this library.

SchemaError
└── ShapeError    a frame lacks columns that it must have, or has columns that it must not have
"""


class SchemaError(Exception):
    """Base of every error that this library raises."""


class ShapeError(SchemaError):
    """A frame does not have the columns of a listing."""

    def __init__(self, missing: tuple[str, ...], unexpected: tuple[str, ...]) -> None:
        self.missing = missing
        self.unexpected = unexpected
        parts = []
        if missing:
            parts.append(f"lacks the column(s) {', '.join(map(repr, missing))}")
        if unexpected:
            parts.append(f"has the unexpected column(s) {', '.join(map(repr, unexpected))}")
        super().__init__(
            f"the table {' and '.join(parts)}. Give it the columns of a listing, by these names, and try again."
        )
