"""Where the body of a request waits until it is whole: in a file without a name, that another process can be given."""

import asyncio
import tempfile
from pathlib import Path
from typing import IO, Final

from fastapi import Request

from appraiser_api.batch.errors import BatchTooLargeError, SpoolFullError
from appraiser_api.errors import MEBIBYTE

WAITING_BYTES: Final = MEBIBYTE
"""So much is written together."""


async def spool(request: Request, folder: Path, limit_bytes: int) -> IO[bytes]:
    """Receive a body whole.

    The file has no name: it is gone with the request, and with the process, however that ends.

    Raises:
        BatchTooLargeError: The body has more bytes than may be; as soon as that is known, nothing more is read.
        SpoolFullError: There is no room on the disk.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit_bytes:
        raise BatchTooLargeError(limit_bytes)
    file: IO[bytes] | None = None
    try:
        file = _file(folder)
        await _receive(request, file, limit_bytes)
    except OSError as error:
        if file is not None:
            file.close()
        raise SpoolFullError(error.strerror or type(error).__name__) from error
    except BaseException:
        if file is not None:
            file.close()
        raise
    return file


def _file(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


async def _receive(request: Request, file: IO[bytes], limit_bytes: int) -> None:
    received = waiting = 0
    parts: list[bytes] = []
    async for part in request.stream():
        received += len(part)
        if received > limit_bytes:
            raise BatchTooLargeError(limit_bytes)
        parts.append(part)
        waiting += len(part)
        if waiting >= WAITING_BYTES:
            # A disk may keep a writer waiting: then no single house shall wait with it.
            await asyncio.to_thread(file.writelines, parts)
            parts, waiting = [], 0
    file.writelines(parts)
    # What was written meets the disk here at the latest.
    file.seek(0)
