"""How large an Arrow stream gets once it is unpacked, by what its messages say, before anything is unpacked.

The layout of the messages is that of the Arrow columnar format, `Message.fbs`: a few kilobytes can stand for gigabytes.
"""

import struct
from collections.abc import Iterator
from typing import IO, Any, Final

import pyarrow as pa
from flatbuffers import number_types
from flatbuffers.table import Table

_DICTIONARY_BATCH: Final = 2
_RECORD_BATCH: Final = 3
_INT64: Final = struct.Struct("<q")
_BUFFER_BYTES: Final = 16


def largest_unpacked(file: IO[bytes]) -> int:
    """Bytes of the largest message of a stream, unpacked; the file is left at its beginning.

    Raises:
        ValueError: A message is not laid out as the format says.
        pa.ArrowException: The stream is damaged.
    """
    try:
        return max((_unpacked(message) for message in _messages(file)), default=0)
    except (struct.error, IndexError, TypeError) as error:
        raise ValueError(f"a message is damaged: {error}") from None
    finally:
        file.seek(0)


def _messages(file: IO[bytes]) -> Iterator[Any]:
    reader = pa.ipc.MessageReader.open_stream(file)
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


def _unpacked(message: Any) -> int:
    content = bytearray(message.metadata)
    root = Table(content, struct.unpack_from("<I", content)[0])
    kind = root.Get(number_types.Uint8Flags, root.Pos + root.Offset(6)) if root.Offset(6) else 0
    if kind not in {_DICTIONARY_BATCH, _RECORD_BATCH}:
        return 0
    batch = Table(content, 0)
    root.Union(batch, root.Offset(8))
    if kind == _DICTIONARY_BATCH:
        batch = Table(content, batch.Indirect(batch.Pos + batch.Offset(6)))
    if not batch.Offset(10):
        return int(message.body.size)
    body = memoryview(message.body)
    return sum(_length(body, offset, length) for offset, length in _buffers(batch))


def _buffers(batch: Table) -> Iterator[tuple[int, int]]:
    field = batch.Offset(8)
    if field:
        start = batch.Vector(field)
        for place in range(start, start + batch.VectorLen(field) * _BUFFER_BYTES, _BUFFER_BYTES):
            yield struct.unpack_from("<qq", batch.Bytes, place)


def _length(body: memoryview, offset: int, length: int) -> int:
    """A compressed buffer begins with its length; -1 is one that was left as it is."""
    if length < _INT64.size:
        return length
    (unpacked,) = _INT64.unpack_from(body, offset)
    return length if unpacked < 0 else int(unpacked)
