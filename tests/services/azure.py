"""A server of Azure's Blob Storage for tests: Azurite, a process of its own, on loopback.

It comes from npm, into a cache folder, once.
"""

import base64
import email.utils
import hashlib
import hmac
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from kafka import ServiceError, cache, free_ports
from s3 import Server

PACKAGE, VERSION = "azurite", "3.37.0"
# The account that every emulator of Azure's has.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "flott"


def server() -> Path:
    """The server's program, which is installed if it is not there."""
    place = cache() / f"azurite-{VERSION}"
    program = place / "node_modules" / ".bin" / "azurite-blob"
    if program.exists():
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise ServiceError("`npm` is not installed: it installs the server of Azure's interface. On Debian: apt-get install npm")
    print(f"services: installing {PACKAGE} {VERSION} into {place}", flush=True)
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for _ in range(3):
        # A network that fails now and then gets another chance.
        done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--omit=dev", f"{PACKAGE}@{VERSION}"], cwd=fresh, capture_output=True, text=True)
        if done.returncode == 0:
            break
        time.sleep(5)
    if done.returncode != 0:
        raise ServiceError(f"the server of Azure's interface cannot be installed:\n{(done.stdout + done.stderr)[-2000:]}")
    try:
        fresh.rename(place)
    except OSError:
        # Somebody else was faster.
        shutil.rmtree(fresh, ignore_errors=True)
    return program


class Azure(Server):
    """A server with one container. Use it as a context manager."""

    name = "the server of Azure's interface"

    def __init__(self, folder: Path):
        (port,) = free_ports(1)
        super().__init__(folder, port)

    def command(self) -> list[str]:
        options = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.folder), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        return ["node", str(server().resolve()), *options]

    def begun(self) -> None:
        """Makes the container: a request that is signed with the account's key."""
        date = email.utils.formatdate(usegmt=True)
        headers = f"x-ms-date:{date}\nx-ms-version:2021-12-02"
        resource = f"/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
        text = "PUT" + "\n" * 12 + f"{headers}\n{resource}"
        signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
        sent = {"x-ms-date": date, "x-ms-version": "2021-12-02", "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
        url = f"{self.endpoint}/{ACCOUNT}/{CONTAINER}?restype=container"
        urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=sent), timeout=10).close()
