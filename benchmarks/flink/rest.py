"""The part of Flink's REST interface that a measurement needs."""
import json
import urllib.error
import urllib.request


class Rest:
    """Asks one JobManager."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            return json.load(answer)

    def taskmanagers(self):
        """How many are registered; none while the JobManager is not up."""
        try:
            return self.get("/overview")["taskmanagers"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0

    def span(self, job):
        """When a finished job began to run and when it ended. -> (seconds, seconds) of the wall clock"""
        told = self.get(f"/jobs/{job}")
        if told["state"] != "FINISHED":
            raise RuntimeError(f"job {job} is {told['state']}")
        stamps = told["timestamps"]
        return stamps["RUNNING"] / 1000, stamps["FINISHED"] / 1000
