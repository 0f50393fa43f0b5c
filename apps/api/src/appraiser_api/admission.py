"""Who may ask, how often, and how many at a time: the same for the guard and for the short way past it."""

from collections.abc import Iterable

from appraiser_api.errors import BusyError
from appraiser_api.keyring import Keyring
from appraiser_api.limits import Rate
from appraiser_api.settings import Settings
from appraiser_schema import Scope


class Admission:
    """Keys, rates and the number of requests that are being worked on, of one process.

    Args:
        settings: The limits.
        keyring: The keys; None where everybody may ask.

    Attributes:
        busy: Requests that are being worked on.
    """

    def __init__(self, settings: Settings, keyring: Keyring | None) -> None:
        self.keyring = keyring
        self.busy = 0
        self._most_busy = settings.api_in_flight
        self._rate = Rate(settings.api_rate, settings.api_workers) if settings.api_rate else None

    def identify(self, key: str | None, needed: Scope | None) -> str | None:
        """Name of the key; None where none is needed.

        Raises:
            ApiError: It is missing, unknown, or may not do this.
        """
        if self.keyring is None or needed is None:
            return None
        return self.keyring.check(key, needed)

    def take(self, client: str | None, *, always: bool = False) -> None:
        """Let a client ask once.

        Args:
            client: Name of its key, or its address; None where it may ask as often as it likes.
            always: Whether it is answered however much there is to do.

        Raises:
            RateError: It has asked too often.
            BusyError: As many requests are being worked on as may be.
        """
        if self._rate is not None and client is not None:
            self._rate.take(client)
        if self.busy >= self._most_busy and not always:
            raise BusyError(self._most_busy)


def key_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The key that a request has with it: the last bearer's, or else the first of the header for keys."""
    bearer = own = None
    for name, value in headers:
        if name == b"authorization":
            kind, _, key = value.partition(b" ")
            if kind.lower() == b"bearer":
                bearer = key.strip().decode("latin-1")
        elif name == b"x-api-key" and own is None:
            own = value.decode("latin-1")
    return bearer if bearer is not None else own
