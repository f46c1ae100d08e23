"""An S3 server for tests: Versity's gateway over a local folder, a process of its own, on loopback.

Its source comes from Go's module proxy, and is built into a cache folder, once. Nothing is skipped: where Go or the network is missing, `ServiceError` says so.
`Unreliable` stands between a client and the server, and answers some requests with errors, late, or not at all.
"""

import http.client
import http.server
import os
import random
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from kafka import ServiceError, cache, free_ports

MODULE, VERSION = "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"
ACCESS, SECRET = "alice", "alice-secret"
BUCKET = "flott"
START_SECONDS = 60


def build_go(module: str, version: str, name: str) -> Path:
    """A program whose source comes from Go's module proxy; it is built if it is not there."""
    binary = cache() / f"{name}-{version}" / name
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        raise ServiceError(f"`go` is not installed: it builds {name}. On Debian: apt-get install golang")
    print(f"services: building {module} {version} into {binary.parent}", flush=True)
    fresh = binary.parent.with_name(f"{binary.parent.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    for _ in range(3):
        # A network that fails now and then gets another chance.
        done = subprocess.run([go, "install", f"{module}@{version}"], env={**os.environ, "GOBIN": str(fresh), "GOFLAGS": "-mod=mod"}, capture_output=True, text=True)
        if done.returncode == 0:
            break
        time.sleep(5)
    if done.returncode != 0:
        raise ServiceError(f"{name} cannot be built:\n{(done.stdout + done.stderr)[-2000:]}")
    try:
        fresh.rename(binary.parent)
    except OSError:
        # Somebody else was faster.
        shutil.rmtree(fresh, ignore_errors=True)
    return binary


class Server:
    """A process that answers requests on a port. Use it as a context manager."""

    name = "the server"

    def __init__(self, folder: Path, port: int):
        self.folder, self.port = folder, port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def begun(self) -> None:
        """It answers now."""

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self.command()
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                told = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                self.__exit__()
                raise ServiceError(f"{self.name} does not start:\n{told}")
            time.sleep(0.05)
        try:
            self.begun()
        except OSError as error:
            self.__exit__()
            raise ServiceError(f"{self.name} cannot be used: {error}") from error
        return self

    def __exit__(self, *_) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


class S3(Server):
    """A server with one bucket. Use it as a context manager."""

    name = "the S3 server"

    def __init__(self, folder: Path):
        (port,) = free_ports(1)
        super().__init__(folder, port)
        # What is in the bucket, as files.
        self.objects = folder / "buckets" / BUCKET

    def command(self) -> list[str]:
        binary = build_go(MODULE, VERSION, "versitygw")
        for name in ("buckets", "metadata"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "buckets" / BUCKET).mkdir()
        # Not every file system has extended attributes.
        command = [str(binary), "--port", f"127.0.0.1:{self.port}", "--access", ACCESS, "--secret", SECRET, "--region", "us-east-1"]
        return command + ["posix", "--sidecar", str(self.folder / "metadata"), str(self.folder / "buckets")]

    def uploads(self) -> list[str]:
        """Parts of uploads that nobody has completed or given up."""
        pending = self.folder / "buckets" / BUCKET / ".sgwtmp"
        return [str(path) for path in pending.rglob("*") if path.is_file()] if pending.exists() else []


class Unreliable:
    """A way to a server that fails now and then: 503, a connection that ends without an answer (before the server has seen the request, or after), or an
    answer that comes late. Failures follow from the seed and the order of requests."""

    def __init__(self, endpoint: str, seed: int, share: float = 0.1, keeps_host: bool = True):
        self.host = endpoint.removeprefix("http://")
        # Signatures may cover the name of the host that the client knows; and there are servers that know themselves by one name only.
        self.keeps_host = keeps_host
        self.rng = random.Random(seed)
        self.share = share
        self.failed = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = outer.fault()
                if fault == "busy":
                    return self.answer(503, {}, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
                if fault == "lost":
                    return self.hang_up()
                if fault == "late":
                    time.sleep(0.2)
                connection = http.client.HTTPConnection(outer.host, timeout=60)
                sent = {name: value for name, value in self.headers.items() if outer.keeps_host or name.lower() != "host"}
                try:
                    connection.request(self.command, self.path, body, sent)
                    response = connection.getresponse()
                    content = response.read()
                finally:
                    connection.close()
                if fault == "unanswered":
                    return self.hang_up()
                headers = {name: value for name, value in response.getheaders() if name.lower() not in ("connection", "transfer-encoding")}
                return self.answer(response.status, headers, content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                length = next((value for name, value in headers.items() if name.lower() == "content-length"), str(len(content)))
                self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def hang_up(self) -> None:
                self.close_connection = True

            def log_message(self, *_) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_) -> None:
                # A client that was killed.
                pass

        (port,) = free_ports(1)
        self.server = Server(("127.0.0.1", port), Handler)
        self.endpoint = f"http://127.0.0.1:{port}"

    def fault(self) -> str | None:
        with self.lock:
            if self.rng.random() >= self.share:
                return None
            self.failed += 1
            return self.rng.choice(["busy", "lost", "late", "unanswered"])

    def __enter__(self) -> "Unreliable":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
