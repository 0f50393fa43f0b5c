"""Two engines, one price: whatever the house, and whatever was done to the file of one of them."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from appraiser_model import Bundle, ValuationModel
from appraiser_model.agreement import LARGEST, largest_difference
from appraiser_model.trees import Trees
from appraiser_schema import STATES, Listing, Status
from appraiser_schema.columns import listing_columns
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market

HOUSES = st.builds(
    Listing,
    status=st.sampled_from(Status),
    bed=st.none() | st.floats(0, 50),
    bath=st.none() | st.floats(0, 50),
    acre_lot=st.none() | st.floats(0, 10_000),
    house_size=st.none() | st.floats(100, 50_000),
    city=st.none() | st.sampled_from(["Boston", "houston", "Aguada", "Nowhere"]),
    state=st.sampled_from(STATES),
    zip_code=st.none() | st.sampled_from(["06016", "02108", "77005", "99999"]),
    prev_sold_date=st.none() | st.dates().filter(lambda day: 1900 <= day.year <= 2099),
)


def forged(model: ValuationModel, change: Callable[[ModelProto], None]) -> Trees:
    """The trees with another ONNX file."""
    proto = ModelProto.FromString(model.trees.onnx)
    change(proto)
    return Trees.read(model.trees.ubj, proto.SerializeToString())


def move_leaf(proto: ModelProto) -> None:
    """Let one leaf of the first tree be worth a hundredth more."""
    (weights,) = [a for a in proto.graph.node[0].attribute if a.name == "target_weights"]
    weights.floats[:] = [value + 0.01 for value in weights.floats[:1]] + list(weights.floats[1:])


def read_elsewhere(proto: ModelProto) -> None:
    """Name another file to read a number from, as large models do."""
    tensor = helper.make_tensor("more", TensorProto.FLOAT, [1], [0.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    proto.graph.initializer.append(tensor)


def ask_for_foreign(proto: ModelProto) -> None:
    """Ask for an operator that onnxruntime does not have."""
    proto.graph.node[0].domain = "elsewhere"
    proto.opset_import.append(helper.make_opsetid("elsewhere", 1))


class TestOnePrice:
    """The engine for single houses against the one for tables."""

    @settings(max_examples=60, deadline=None)
    @given(house=HOUSES)
    def test_one_as_many(self, model: ValuationModel, house: Listing) -> None:
        """A house on its own has the price and the bounds that it has in a table of XGBoost, bit for bit."""
        many = model.appraise(listing_columns([house] * 60))
        assert model.appraise_few(house) == [(many.price_usd[7], many.lower_usd[7], many.upper_usd[7])]

    def test_agree(self, model: ValuationModel, market: "Market") -> None:
        """Of a model that was trained here, nothing is between them."""
        assert largest_difference(model, to_columns(market.test)) == 0.0

    def test_none(self, model: ValuationModel, market: "Market") -> None:
        """Of no listings, neither."""
        assert largest_difference(model, to_columns(market.test.clear())) == 0.0

    def test_other_leaf(self, model: ValuationModel, market: "Market") -> None:
        """One leaf that is worth a hundredth more is found: prices differ by e ** 0.01 - 1."""
        other = replace(model, trees=forged(model, move_leaf))
        found = largest_difference(other, to_columns(market.test))
        assert found > LARGEST
        assert math.isclose(found, math.expm1(0.01), rel_tol=1e-3)


class TestHostileFile:
    """`model.onnx` by somebody else, past its digest."""

    @pytest.mark.parametrize("change", [read_elsewhere, ask_for_foreign])
    def test_refused(self, model: ValuationModel, change: Callable[[ModelProto], None]) -> None:
        """A file that reads another file, or asks for foreign code, is refused."""
        with pytest.raises(ValueError, match=r"model\.onnx"):
            forged(model, change)

    def test_flipped(self, model: ValuationModel) -> None:
        """Flipped bytes are refused or give some sum of trees: the process lives, and no other error comes out."""
        content = model.trees.onnx
        rng = np.random.default_rng(5)
        row = np.zeros((1, model.trees.features), dtype=np.float32)
        refused = 0
        for place in [*range(40), *rng.integers(0, len(content), 80).tolist()]:
            flipped = bytearray(content)
            flipped[place] ^= 0xFF
            try:
                assert isinstance(Trees.read(model.trees.ubj, bytes(flipped)).margins_of(row), list)
            except ValueError:
                refused += 1
        assert refused

    @pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a"])
    def test_no_model(self, bundle: Bundle, content: bytes) -> None:
        """Bytes that are no model are refused."""
        with pytest.raises(ValueError, match=r"model\.onnx"):
            Trees.read(bundle.model.trees.ubj, content)
