"""The manifests of this repository, rendered once."""

import pytest
from manifest_stand import ROOT, golden_name, golden_text

from appraiser_cli.manifests.check import Report, judge
from appraiser_cli.manifests.world import World


@pytest.fixture(scope="session")
def manifests() -> World:
    """The manifests as they stand."""
    return World.of(ROOT)


@pytest.fixture(scope="session")
def report(manifests: World) -> Report:
    """What the check says of them."""
    return judge(manifests)


@pytest.fixture(scope="session")
def golden(manifests: World) -> dict[str, str]:
    """What each folder comes to, by the name of its golden file."""
    return {golden_name(one): golden_text(one) for one in manifests.rendered}
