"""Errors of this library.

SchemaError
├── FileError         a file is no table of rows, or cannot be read on
│   └── EmptyFileError    there is nothing in it
└── ShapeError        a frame lacks columns that it must have, or has columns that it must not have
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


class FileError(SchemaError):
    """A file is no table of rows, or cannot be read on.

    Attributes:
        problem: What is wrong, as in 'the file PROBLEM'.
        remedy: What to do.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"the file {problem}; {remedy}.")


class EmptyFileError(FileError):
    """There is nothing in a file."""

    def __init__(self) -> None:
        super().__init__("is empty", "give one with listings")
