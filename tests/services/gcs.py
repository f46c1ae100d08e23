"""A server of Google Cloud Storage's interface for tests: fake-gcs-server, a process of its own, on loopback.

Its source comes from Go's module proxy, and is built into a cache folder, once. It knows nothing of uploads in parts over the XML interface, so it is for
reading only: what is read is put there when it begins.
"""

import json
import urllib.parse
import urllib.request
from pathlib import Path

from kafka import free_ports
from s3 import Server, build_go

MODULE, VERSION = "github.com/fsouza/fake-gcs-server", "v1.56.1"
BUCKET, FOLDER = "flott", "orders"
# Name and content of each object below the folder.
OBJECTS = {f"day={day}/part-{part}.csv": "".join(f"{row},name of {row}\n" for row in range(part * 30_000, (part + 1) * 30_000)) for day in (1, 2) for part in (2 * day, 2 * day + 1)}
OBJECTS["day=1/_SUCCESS"] = ""


class Gcs(Server):
    """A server with one bucket. Use it as a context manager."""

    name = "the server of Google Cloud Storage's interface"

    def __init__(self, folder: Path):
        (port,) = free_ports(1)
        super().__init__(folder, port)

    def command(self) -> list[str]:
        binary = build_go(MODULE, VERSION, "fake-gcs-server")
        options = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-public-host", f"127.0.0.1:{self.port}", "-log-level", "error"]
        return [str(binary), *options, "-external-url", self.endpoint]

    def begun(self) -> None:
        body = json.dumps({"name": BUCKET}).encode()
        request = urllib.request.Request(f"{self.endpoint}/storage/v1/b?project=test", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()
        for name, content in OBJECTS.items():
            place = urllib.parse.quote(f"{FOLDER}/{name}", safe="")
            url = f"{self.endpoint}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={place}"
            urllib.request.urlopen(urllib.request.Request(url, content.encode(), {"Content-Type": "text/csv"}), timeout=10).close()
