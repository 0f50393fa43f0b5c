"""What the package offers."""

import appraiser_schema


class TestPublicNames:
    """The facade."""

    def test_pinned(self) -> None:
        """These names are public; taking one away breaks those who use the library."""
        assert set(appraiser_schema.__all__) == {
            "Alias", "AliasMove", "ApiKey", "Appraisal", "Batch", "BatchStatus", "Contribution", "Decision",
            "DecisionKind", "Evaluation", "Explanation", "Feedback", "Fetch", "FetchOutcome", "FieldProblem",
            "Interval", "KeyFile", "LISTING_COLUMNS", "Lineage", "Listing", "LiveError", "ModelDetail",
            "ModelLineage", "ModelRef", "ModelVersion", "MoveKind", "Outcome", "PRICE_CEILING_USD", "PRICE_FLOOR_USD",
            "Prediction", "PredictionKind", "PricedListing", "Problem", "RAW_COLUMNS", "Ready", "Reason",
            "ReasonPart", "Record", "Reign", "Reloaded", "STATES", "STATE_CODES", "Sale", "SchemaError", "Scope",
            "SegmentScore", "ShapeError", "Split", "Status", "WorkerReady", "example_listing", "hash_key",
            "latest_day", "new_key", "utc_now", "Backlog", "BatchDetail", "BatchReport", "ColumnShift", "CoverageBin",
            "FeatureEffect", "ModelReport", "ModelStudy", "Part", "PartName", "PartState", "Refusal", "RollbackOrder",
            "RolledBack", "RouteTraffic", "ServiceState", "Caution", "CautionCode", "Comparable", "Comparables",
            "Market",
            "SeenCity", "SeenPlace", "SeenZip", "StateMarket",
        }  # fmt: skip

    def test_there(self) -> None:
        """Every public name can be had."""
        assert all(hasattr(appraiser_schema, name) for name in appraiser_schema.__all__)
