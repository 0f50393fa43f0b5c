"""The page's client against the API's published description: what it calls exists and answers what it reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from appraiser_schema import Listing
from appraiser_ui.client import NO_CHAMPION
from appraiser_ui.endpoints import ENDPOINTS, EXPLAIN, JSON, Endpoint

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """The API's OpenAPI document, as it is published."""
    loaded: dict[str, Any] = json.loads(GOLDEN.read_text())
    return loaded


def operation(description: dict[str, Any], endpoint: Endpoint[Any]) -> dict[str, Any]:
    """What the document says about a call."""
    found: dict[str, Any] = description["paths"][endpoint.path][endpoint.method.lower()]
    return found


def resolve(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed."""
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: dict[str, Any] = description["components"]["schemas"][name] if name else schema
    return resolved


def answer(description: dict[str, Any], endpoint: Endpoint[Any], status: str) -> dict[str, Any]:
    """The schema of an answer."""
    content = operation(description, endpoint)["responses"][status]["content"]
    return resolve(description, content[endpoint.media]["schema"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
class TestEndpoints:
    """Each call of the page."""

    def test_exists(self, description: dict[str, Any], endpoint: Endpoint[Any]) -> None:
        """The method and the path are the API's."""
        assert operation(description, endpoint)

    def test_answers_what_the_page_reads(self, description: dict[str, Any], endpoint: Endpoint[Any]) -> None:
        """The answer has the name and the fields that the page reads; one it does not know it would refuse."""
        expected = endpoint.answer.json_schema(mode="serialization")
        definitions = {"components": {"schemas": expected.get("$defs", {})}}
        for status in ("200", *map(str, endpoint.also)):
            published = answer(description, endpoint, status)
            assert published.get("type") == expected["type"]
            if endpoint.media != JSON:
                continue
            one = resolve(description, published.get("items", published))
            read = resolve(definitions, expected.get("items", expected))
            assert one["title"] == read["title"]
            assert one["properties"].keys() == read["properties"].keys()


class TestWords:
    """What the page sends and what it recognises."""

    def test_a_house_is_sent_as_a_listing(self, description: dict[str, Any]) -> None:
        """The form is read off the class that the API takes."""
        content = operation(description, EXPLAIN)["requestBody"]["content"]
        published = resolve(description, content["application/json"]["schema"])
        assert published["properties"].keys() == Listing.model_fields.keys()

    def test_no_champion(self) -> None:
        """The page knows the API's word for having no model yet."""
        from appraiser_api.errors import NoChampionError
        from appraiser_api.problems import TYPE_PREFIX

        assert TYPE_PREFIX + NoChampionError.kind == NO_CHAMPION
