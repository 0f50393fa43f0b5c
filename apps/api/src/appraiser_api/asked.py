"""What the envelope knows of a request that is being answered, for whoever answers it."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.types import Scope

KEY: Final = "asked"


@dataclass(slots=True)
class Asked:
    """One request.

    Attributes:
        began: When it arrived, by `time.perf_counter`. [s]
        record_id: The service's own id, under which what is answered is on record; no other request has it.
        client_id: The `X-Request-ID` that the client sent; None where it sent none that can be kept.
        model_version: Version of the model that answered, once one did.
        key_name: Name of the key that it was asked with; None where none was needed.
        on_record: Whether the answer is on record, so that the log need not tell of it.
    """

    began: float
    record_id: str
    client_id: str | None
    model_version: int | None = None
    on_record: bool = False
    key_name: str | None = None

    @property
    def request_id(self) -> str:
        """The id in the answer's header and in the log: the client's, if it sent one."""
        return self.client_id or self.record_id

    @staticmethod
    def of(scope: Scope) -> "Asked":
        """That of a request inside the envelope."""
        asked: Asked = scope["state"][KEY]
        return asked


async def _asked(request: Request) -> Asked:
    return Asked.of(request.scope)


Inquiry = Annotated[Asked, Depends(_asked)]
