"""What can keep the API from answering.

```
ApiError
├── ApiAwayError      nobody answers at the address, or not in time
├── NoModelError      the API runs, but has no model to appraise with yet
├── RefusedError      the API refused the request and said why; carries the problem
└── UnreadableError   something answered, but not in the words of this API
```
"""

from typing import Literal

from appraiser_schema import Problem


class ApiError(Exception):
    """Something kept the API from answering."""


class ApiAwayError(ApiError):
    """Nobody answers at the API's address, or not in time.

    Attributes:
        url: Its address.
        reason: `nobody` listens there, or it is `slow`.
    """

    def __init__(self, url: str, reason: Literal["nobody", "slow"]) -> None:
        self.url = url
        self.reason = reason
        why = "nothing listens there" if reason == "nobody" else "it takes too long to answer"
        super().__init__(f"No answer from the API at {url}: {why}. Start it, or set APPRAISER_API_URL to where it is.")


class NoModelError(ApiError):
    """The API runs, but no model is in service yet."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(f"No model is in service yet: {detail}")


class RefusedError(ApiError):
    """The API refused the request and said why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.title}: {problem.detail}")


class UnreadableError(ApiError):
    """Something answered, but not in the words of this API."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"The answer from {url} cannot be read: {reason}. "
            "Check that APPRAISER_API_URL is the API, and that it has the same version as the page."
        )
