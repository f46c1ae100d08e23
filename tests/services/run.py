"""Starts the services that tests need, and runs the tests against them.

    python3 tests/services/run.py                 start them, say where they are, and wait for Ctrl-C
    python3 tests/services/run.py COMMAND ...     run a command while they are there; its exit code is ours
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from azure import ACCOUNT, CONTAINER, KEY, Azure  # noqa: E402
from gcs import BUCKET as GCS_BUCKET, FOLDER, Gcs  # noqa: E402
from kafka import Kafka, ServiceError  # noqa: E402
from kafka_kill import rounds  # noqa: E402
from s3 import ACCESS, BUCKET, SECRET, S3, Unreliable  # noqa: E402
from s3_kill import rounds as s3_rounds  # noqa: E402


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--brokers", type=int, default=3, help="brokers of Kafka")
    arguments.add_argument("--only", type=lambda text: set(text.split(",")), default={"kafka", "stores"}, metavar="SERVICES", help="`kafka`, or `stores` (object stores)")
    arguments.add_argument("--kill", type=Path, metavar="FLOTT", help="after the command, one round of kafka_kill.py and of s3_kill.py with this binary")
    arguments.add_argument("command", nargs=argparse.REMAINDER)
    given = arguments.parse_args()
    # A stop is an exception, so that brokers are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="flott-services-"))
    code = 1
    try:
        seed = 1
        with contextlib.ExitStack() as stack:
            places = {}
            if "kafka" in given.only:
                kafka = stack.enter_context(Kafka(folder / "kafka", given.brokers))
                places |= {"FLOTT_KAFKA": kafka.bootstrap, "FLOTT_KAFKA_SASL": kafka.sasl, "FLOTT_KAFKA_TLS": kafka.tls}
            if "stores" in given.only:
                s3, gcs, azure = (stack.enter_context(server(folder / name)) for server, name in ((S3, "s3"), (Gcs, "gcs"), (Azure, "azure")))
                # Each behind a way that fails now and then.
                unreliable = [stack.enter_context(Unreliable(server.endpoint, seed, keeps_host=server is not gcs)).endpoint for server in (s3, gcs, azure)]
                places |= {"FLOTT_S3": s3.endpoint, "FLOTT_S3_UNRELIABLE": unreliable[0], "FLOTT_S3_BUCKET": BUCKET, "FLOTT_S3_KEYS": f"{ACCESS}:{SECRET}", "FLOTT_S3_FOLDER": str(s3.objects)}
                places |= {"GOOGLE_BASE_URL": unreliable[1], "GOOGLE_SKIP_SIGNATURE": "true"}
                places |= {"AZURE_STORAGE_ENDPOINT": f"{unreliable[2]}/{ACCOUNT}", "FLOTT_AZURE_KEY": KEY}
                places["FLOTT_STORES"] = f"s3://{BUCKET} abfss://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net"
                places["FLOTT_GCS"] = f"gs://{GCS_BUCKET}/{FOLDER}"
            if given.command:
                code = subprocess.run(given.command, env={**os.environ, **places}).returncode
                if code == 0 and given.kill and given.only == {"kafka", "stores"}:
                    binary = given.kill.resolve()
                    failed = rounds(kafka, binary, folder, 1, seed) + s3_rounds(s3, binary, folder, 1, seed)
                    code = 1 if failed else 0
            else:
                for name, place in places.items():
                    print(f"export {name}={place}")
                print("Ctrl-C stops them.", flush=True)
                threading.Event().wait()
    except KeyboardInterrupt:
        code = 0 if not given.command else 130
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
    if code == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"services: logs are in {folder}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
