"""Errors of this library.

FeatureError
├── ColumnsError        the columns given are not listings: one is missing, of another length or not readable
├── TrainingError       nothing can be fitted on the rows given
└── EncoderError        the text is not a fitted encoder
    └── FingerprintError    it was fitted by another version of the feature code
"""


class FeatureError(Exception):
    """Base of every error that this library raises."""


class ColumnsError(FeatureError):
    """The columns given are not those of listings.

    Attributes:
        column: Name of the first column that is wrong.
    """

    def __init__(self, column: str, problem: str) -> None:
        self.column = column
        super().__init__(
            f"the column {column!r} {problem}. Build the columns with `appraiser_schema.frames`: "
            "`to_columns` for a table, `listing_columns` for single houses."
        )


class TrainingError(FeatureError):
    """Nothing can be fitted on the rows given."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the feature encoder cannot be fitted: {problem}.")


class EncoderError(FeatureError):
    """A text is not a fitted encoder."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"this is not a fitted feature encoder: {problem}. Take `features.json` from an intact model folder, "
            "or train the model again."
        )


class FingerprintError(EncoderError):
    """An encoder was fitted by another version of the feature code; using it would give wrong prices.

    Attributes:
        found: Fingerprint of the code that fitted the encoder.
        expected: Fingerprint of the code that runs now.
    """

    def __init__(self, found: object, expected: str) -> None:
        self.found = found
        self.expected = expected
        FeatureError.__init__(
            self,
            f"this encoder was fitted by feature code {_short(found)}, this version of appraiser_features is "
            f"{_short(expected)}. Train the model again with this version, or serve it with the version that made it.",
        )


def _short(fingerprint: object) -> str:
    return repr(fingerprint[:12] if isinstance(fingerprint, str) else fingerprint)
