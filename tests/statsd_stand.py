"""What statsd-exporter does, as far as Airflow needs it, where it is not installed: StatsD in, Prometheus out.

Its rules, by its documentation: dots become underscores; tags in InfluxDB's way become labels; counters and gauges keep
their names, timers become summaries in seconds. What Airflow sends is real, and so are its names and tags.
"""

import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

type Series = tuple[str, tuple[tuple[str, str], ...]]
"""A name and its labels."""


@dataclass
class Statsd:
    """Takes datagrams and tells what they came to.

    Attributes:
        statsd: Port that takes StatsD.
        metrics: Port that Prometheus asks.
        values: What was counted, by series.
    """

    statsd: int = 0
    metrics: int = 0
    values: dict[Series, float] = field(default_factory=lambda: defaultdict(float))

    def take(self, line: str) -> None:
        """Count one line: NAME,TAG=VALUE:NUMBER|KIND."""
        head, _, rest = line.rpartition(":")
        value, kind = rest.split("|")[:2]
        name, *tags = head.split(",")
        series = re.sub(r"[^a-zA-Z0-9_:]", "_", name)
        labels = tuple(sorted((key, text) for key, _, text in (tag.partition("=") for tag in tags)))
        match kind:
            case "c":
                self.values[series, labels] += float(value)
            case "g" if value[0] in "+-":
                self.values[series, labels] += float(value)
            case "g":
                self.values[series, labels] = float(value)
            case "ms":
                self.values[f"{series}_sum", labels] += float(value) / 1000
                self.values[f"{series}_count", labels] += 1

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        return "".join(
            f"{name}{{{','.join(f'{key}="{text}"' for key, text in labels)}}} {value}\n"
            for (name, labels), value in list(self.values.items())
        )


@contextmanager
def statsd_exporter() -> Iterator[Statsd]:
    """A running one on two free ports of loopback."""
    taken = Statsd()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(taken.text().encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(0.5)
        taken.statsd, taken.metrics = inbox.getsockname()[1], server.server_address[1]
        ended = threading.Event()

        def receive() -> None:
            while not ended.is_set():
                try:
                    lines = inbox.recv(65_535).decode().splitlines()
                except TimeoutError:
                    continue
                for line in lines:
                    taken.take(line)

        threads = [threading.Thread(target=receive), threading.Thread(target=server.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield taken
        finally:
            ended.set()
            server.shutdown()
            server.server_close()
            for thread in threads:
                thread.join()
