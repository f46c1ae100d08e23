"""The configuration of the Flink that is measured: tuned as its documentation advises for throughput, bound to loopback."""
import dataclasses
import socket


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run may choose."""

    parallelism: int = 2
    # Of the TaskManager's process, as `taskmanager.memory.process.size`.
    memory: str = "6g"
    # More of Flink's keys.
    extra: dict = dataclasses.field(default_factory=dict)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keys(settings, work, rest_port):
    """-> Flink's keys with their values"""
    return {
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": free_port(),
        "jobmanager.bind-host": "127.0.0.1",
        "jobmanager.memory.process.size": "1600m",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        # As many as the job needs: managed memory is divided by them.
        "taskmanager.numberOfTaskSlots": settings.parallelism,
        "taskmanager.memory.process.size": settings.memory,
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": rest_port,
        "io.tmp.dirs": work / "tmp",
        "execution.target": "remote",
        "parallelism.default": settings.parallelism,
        "pipeline.object-reuse": "true",
        "state.backend.type": "hashmap",
        "execution.checkpointing.dir": f"file://{work}/checkpoints",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": "30s",
        # A bounded job would wait for its next checkpoint before it ends.
        "execution.checkpointing.checkpoints-after-tasks-finish.enabled": "false",
        "table.exec.mini-batch.enabled": "true",
        "table.exec.mini-batch.allow-latency": "2s",
        "table.exec.mini-batch.size": "50000",
        "table.optimizer.distinct-agg.split.enabled": "true",
        **settings.extra,
    }


LOGGING = """rootLogger.level = WARN
rootLogger.appenderRef.file.ref = file
appender.file.name = file
appender.file.type = File
appender.file.fileName = ${sys:log.file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %-5p %c - %m%n
"""


def write(settings, work, rest_port):
    """Writes config.yaml and log4j.properties. -> their folder"""
    conf = work / "conf"
    conf.mkdir()
    lines = [f"{key}: {value}\n" for key, value in keys(settings, work, rest_port).items()]
    (conf / "config.yaml").write_text("".join(lines), encoding="utf-8")
    (conf / "log4j.properties").write_text(LOGGING, encoding="utf-8")
    return conf
