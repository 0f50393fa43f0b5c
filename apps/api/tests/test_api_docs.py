"""The documentation, without a network."""

import re

from starlette.testclient import TestClient

from appraiser_api.routes import ROUTERS


class TestPage:
    """GET /docs."""

    def test_nothing_foreign(self, client: TestClient) -> None:
        """Every script, style and picture comes from the service itself, and the policy allows nothing else."""
        page = client.get("/docs")
        sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert sources
        assert not [source for source in sources if "//" in source]
        assert {client.get(f"/{source}").status_code for source in sources} == {200}
        assert "script-src 'self';" in page.headers["content-security-policy"]

    def test_starts_swagger(self, client: TestClient) -> None:
        """The page is Swagger UI, and it reads the document of this service."""
        assert "SwaggerUIBundle" in client.get("/docs/assets/swagger-ui-bundle.js").text
        assert 'url: "openapi.json"' in client.get("/docs/start.js").text


class TestDocument:
    """GET /openapi.json."""

    def test_every_endpoint_is_described(self, client: TestClient) -> None:
        """Each has a summary, a description and a group."""
        for path, methods in client.get("/openapi.json").json()["paths"].items():
            for operation in methods.values():
                assert operation["summary"], path
                assert operation["description"], path
                assert operation["tags"], path

    def test_no_address_twice(self, client: TestClient) -> None:
        """Every route of every group is in the document, unless it is a page."""
        paths = {route.path for router in ROUTERS for route in router.routes if getattr(route, "include_in_schema", 0)}
        assert set(client.get("/openapi.json").json()["paths"]) == paths

    def test_references_resolve(self, client: TestClient) -> None:
        """Each reference of the document leads somewhere."""
        response = client.get("/openapi.json")
        known = response.json()["components"]["schemas"]
        used = set(re.findall(r"#/components/schemas/(\w+)", response.text))
        assert used == set(known)

    def test_problems(self, client: TestClient) -> None:
        """Errors are declared as problem documents, not as FastAPI's own."""
        text = client.get("/openapi.json").text
        assert "HTTPValidationError" not in text
        assert "application/problem+json" in text

    def test_root(self, client: TestClient) -> None:
        """The root says where the rest is."""
        assert client.get("/").json()["docs"] == "/docs"
