"""The valuation model: train, evaluate, explain, intervals, bundle, registry."""
