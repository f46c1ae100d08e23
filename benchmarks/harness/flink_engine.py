"""Runs scripts on a Flink cluster that stays, so that its JIT compiler has seen the query before it is measured."""
from flink import client, cluster, config
from harness import procfs
from harness.measurement import Measurement


class Flink:
    """A cluster for as long as a `with` block."""

    name = "Flink"
    # What q13 is looked up with: `filesystem` cannot be, in Flink 2.3.
    lookup = "lookup-files"

    def __init__(self, home, parallelism, memory):
        self.cluster = cluster.Cluster(home, config.Settings(parallelism=parallelism, memory=memory))
        self.home = home
        self.client = None

    def __enter__(self):
        self.cluster.__enter__()
        self.client = client.Client(self.home, self.cluster.conf)
        return self

    def __exit__(self, *reason):
        if self.client:
            self.client.__exit__(*reason)
        self.cluster.__exit__(*reason)

    def run(self, script, events):
        """-> Measurement of the TaskManager, from the job's RUNNING to its FINISHED"""
        worker = self.cluster.taskmanager
        procfs.forget_peak(worker)
        with procfs.CpuLog(worker) as log:
            (job,) = self.client.run(script).jobs
        running, finished = self.cluster.rest.span(job)
        return Measurement(events, finished - running, log.at(finished) - log.at(running), procfs.memory(worker, "VmHWM"))
