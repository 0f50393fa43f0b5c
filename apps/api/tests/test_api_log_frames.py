"""Records in a segment that is cut or damaged at any byte."""

from hypothesis import given
from hypothesis import strategies as st

from appraiser_api.prediction_log.frames import frame, frame_end, payload_of, pieces


class TestFrames:
    """Cutting and damaging, at every byte."""

    @given(payloads=st.lists(st.binary(max_size=40), max_size=6), data=st.data())
    def test_cut(self, payloads: list[bytes], data: st.DataObject) -> None:
        """A segment that is cut anywhere gives every record that is whole, in order, and none besides."""
        content = b"".join(frame(payload) for payload in payloads)
        cut = content[: data.draw(st.integers(0, len(content)))]
        found = [payload_of(cut, piece) for piece in pieces(cut, 0, len(cut)) if piece.whole]
        assert found == payloads[: len(found)]
        assert len(cut) - sum(len(frame(payload)) for payload in found) < len(frame(b"" * 40)) + 40

    @given(payloads=st.lists(st.binary(max_size=40), min_size=1, max_size=6), data=st.data())
    def test_flipped(self, payloads: list[bytes], data: st.DataObject) -> None:
        """Wherever bits are flipped, every record but the damaged one is found, and none is invented."""
        frames = [frame(payload) for payload in payloads]
        content = bytearray(b"".join(frames))
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        buffer = bytes(content)
        hit = next(i for i in range(len(frames)) if place < sum(map(len, frames[: i + 1])))
        found = [payload_of(buffer, piece) for piece in pieces(buffer, 0, len(buffer)) if piece.whole]
        assert found == payloads[:hit] + payloads[hit + 1 :]

    @given(content=st.binary(max_size=200))
    def test_any_bytes(self, content: bytes) -> None:
        """Bytes of any kind are divided without a gap, and hold no record."""
        parts = list(pieces(content, 0, len(content)))
        assert b"".join(content[part.start : part.stop] for part in parts) == content
        assert not any(part.whole for part in parts)

    def test_before_the_beginning(self) -> None:
        """What begins before the segment is no frame."""
        assert frame_end(frame(b"x"), -1, 13) is None
