"""The order of what is tried on one running system: last comes what ends it."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever order was drawn, the system is ended when nothing else needs it."""
    items.sort(key=lambda item: item.name == "test_end_and_start")
