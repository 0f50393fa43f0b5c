"""Trees from XGBoost's format to ONNX, node by node; made once, when a model was trained."""

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

INPUT: Final = "features"
OUTPUT: Final = "margin"

_OPSET: Final = 20
_TREES_OPSET: Final = 3
_IR_VERSION: Final = 10

type Ints = NDArray[np.int64]


def to_onnx(booster: Any) -> bytes:
    """Write a booster's trees as an ONNX model: float32 features, shape (n, k), to the sum of the trees, shape (n, 1).

    Thresholds and leaves keep their bits, unknown values go where they went, and the trees keep their order, so that
    sums in single precision are the same.

    Raises:
        ValueError: The trees are none that this model is made of: their sum does not start at 0, or they have
            categories, several targets or a linear part.
    """
    # Only who trains has this package; who appraises needs the runtime alone.
    from onnx import TensorProto, helper  # noqa: PLC0415

    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    node = helper.make_node("TreeEnsembleRegressor", [INPUT], [OUTPUT], domain="ai.onnx.ml", **_attributes(learner))
    graph = helper.make_graph(
        [node],
        "appraiser",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, booster.num_features()])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _TREES_OPSET)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString())


def _attributes(learner: Any) -> dict[str, Any]:
    trees = learner["gradient_booster"]["model"]["trees"]
    if float(learner["learner_model_param"]["base_score"].strip("[]")) != 0.0 or any(map(_is_odd, trees)):
        raise ValueError("these trees cannot be written as ONNX: train with base_score 0, one target and no categories")
    sizes = [len(tree["left_children"]) for tree in trees]
    number: Ints = np.repeat(np.arange(len(trees)), sizes)
    node: Ints = np.concatenate([np.arange(size) for size in sizes])
    left, right = _joined(trees, "left_children", np.int64), _joined(trees, "right_children", np.int64)
    # Of a leaf, the condition is its value.
    condition = _joined(trees, "split_conditions", np.float32)
    leaf = left == -1
    return {
        "n_targets": 1,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
        "nodes_treeids": number,
        "nodes_nodeids": node,
        "nodes_featureids": np.where(leaf, 0, _joined(trees, "split_indices", np.int64)),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LT").tolist(),
        "nodes_values": np.where(leaf, np.float32(0), condition),
        "nodes_truenodeids": np.where(leaf, 0, left),
        "nodes_falsenodeids": np.where(leaf, 0, right),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, _joined(trees, "default_left", np.int64)),
        "target_treeids": number[leaf],
        "target_nodeids": node[leaf],
        "target_ids": np.zeros(int(leaf.sum()), dtype=np.int64),
        "target_weights": condition[leaf],
    }


def _is_odd(tree: Any) -> bool:
    return bool(tree["categories"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1


def _joined(trees: list[Any], name: str, kind: Any) -> NDArray[Any]:
    return np.concatenate([np.array(tree[name], dtype=kind) for tree in trees])
