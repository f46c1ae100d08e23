"""Apache Kafka for tests: several brokers (KRaft), each a process of its own, on loopback.

The jars come from Maven Central into a cache folder, once. Nothing is skipped: where Java, Maven or the network is missing, `ServiceError` says so.
"""

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Certificates, made by the script beside them.
TLS = HERE / "tls"
HEAP = "256m"
START_SECONDS = 120
USER, PASSWORD = "alice", "alice-secret"


class ServiceError(Exception):
    """Something that the services need is missing, or does not start."""


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "flott" / "services"


def tool(name: str, why: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ServiceError(f"`{name}` is not installed: {why}. On Debian: apt-get install openjdk-17-jre-headless maven")
    return path


def jars() -> Path:
    """The folder with Kafka's jars, which is filled if it is not there."""
    pom = HERE / "pom.xml"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    folder = cache() / f"kafka-{wanted}"
    if (folder / "complete").exists():
        return folder
    tool("java", "Kafka runs on Java 17 or later")
    maven = tool("mvn", "it fetches Kafka's jars from Maven Central")
    print(f"services: fetching Kafka from Maven Central into {folder}", flush=True)
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    for _ in range(3):
        # A network that fails now and then gets another chance.
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if done.returncode == 0:
            break
        time.sleep(5)
    if done.returncode != 0 or not list(fresh.glob("kafka_*.jar")):
        raise ServiceError(f"Kafka's jars cannot be fetched from Maven Central:\n{(done.stdout + done.stderr)[-2000:]}")
    (fresh / "complete").touch()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        fresh.rename(folder)
    except OSError:
        # Somebody else was faster.
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. They are below those that the system gives to outgoing connections: one of these could take the port of a broker
    while it is down."""
    first, last = 20_000, 32_000
    try:
        last = min(last, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
    except (OSError, ValueError):
        pass
    ports = []
    for port in random.sample(range(first, max(last, first + 1_000)), 1_000):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise ServiceError("there are no free ports")


class Broker:
    """One broker, which may be killed and started again."""

    def __init__(self, number: int, folder: Path, ports: tuple[int, ...]):
        self.number = number
        self.folder = folder
        self.port, self.controller_port, self.sasl_port, self.tls_port = ports
        self.process: subprocess.Popen | None = None

    def start(self, classes: str) -> None:
        log = open(self.folder / "server.log", "ab")
        command = ["java", f"-Xmx{HEAP}", f"-Xms{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes]
        command += [f"-Djava.security.auth.login.config={self.folder / 'jaas.conf'}", f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]
        command += ["kafka.Kafka", str(self.folder / "server.properties")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()

    def kill(self) -> None:
        """As if the machine had lost power, but for its disk."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def is_listening(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def tail(self) -> str:
        try:
            return (self.folder / "server.log").read_text(errors="replace")[-3000:]
        except OSError:
            return ""


class Kafka:
    """A cluster. Use it as a context manager, or `start` and `stop` it."""

    def __init__(self, folder: Path, brokers: int = 3):
        self.folder = folder
        ports = free_ports(4 * brokers)
        self.brokers = []
        for number in range(1, brokers + 1):
            at = folder / f"broker-{number}"
            at.mkdir(parents=True)
            self.brokers.append(Broker(number, at, tuple(ports[4 * number - 4 : 4 * number])))
        self.classes = ""

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    @property
    def sasl(self) -> str:
        return ",".join(f"127.0.0.1:{broker.sasl_port}" for broker in self.brokers)

    @property
    def tls(self) -> str:
        return ",".join(f"127.0.0.1:{broker.tls_port}" for broker in self.brokers)

    def __enter__(self) -> "Kafka":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        tool("java", "Kafka runs on Java 17 or later")
        self.classes = f"{jars()}/*"
        replicas = min(3, len(self.brokers))
        voters = ",".join(f"{broker.number}@127.0.0.1:{broker.controller_port}" for broker in self.brokers)
        for broker in self.brokers:
            self.configure(broker, voters, replicas)
        processes = [self.format(broker) for broker in self.brokers]
        for process in processes:
            output = process.communicate(timeout=START_SECONDS)[0]
            if process.returncode != 0:
                raise ServiceError(f"Kafka's storage cannot be formatted:\n{output.decode(errors='replace')[-3000:]}")
        for broker in self.brokers:
            broker.start(self.classes)
        for broker in self.brokers:
            self.wait_for(broker)

    def configure(self, broker: Broker, voters: str, replicas: int) -> None:
        listeners = f"PLAIN://127.0.0.1:{broker.port},SASL://127.0.0.1:{broker.sasl_port},TLS://127.0.0.1:{broker.tls_port}"
        users = f'username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}"'
        (broker.folder / "jaas.conf").write_text("")
        (broker.folder / "server.properties").write_text(f"""
process.roles=broker,controller
node.id={broker.number}
controller.quorum.voters={voters}
listeners={listeners},CONTROLLER://127.0.0.1:{broker.controller_port}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location={TLS / "broker.pem"}
listener.name.tls.ssl.truststore.type=PEM
listener.name.tls.ssl.truststore.location={TLS / "ca.pem"}
listener.name.tls.ssl.client.auth=required
log.dirs={broker.folder / "data"}
num.partitions=4
# Records of tests may have any time, and are as old as they say.
log.retention.ms=-1
default.replication.factor={replicas}
min.insync.replicas={min(2, replicas)}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={min(2, replicas)}
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=4000
num.network.threads=2
num.io.threads=2
log.flush.interval.messages=9223372036854775807
""")

    def format(self, broker: Broker) -> subprocess.Popen:
        scram = [f"{name}=[name={USER},password={PASSWORD},iterations=4096]" for name in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
        command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self.classes, "kafka.tools.StorageTool", "format"]
        command += ["-t", "ZmxvdHQtdGVzdHMtMDAwMQ", "-c", str(broker.folder / "server.properties")]
        for user in scram:
            command += ["-S", user]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def tool(self, name: str) -> list[str]:
        """The command of one of Kafka's own tools."""
        return ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self.classes, f"org.apache.kafka.tools.{name}"]

    def wait_for(self, broker: Broker) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not broker.is_listening():
            died = broker.process is None or broker.process.poll() is not None
            if died or time.monotonic() > deadline:
                raise ServiceError(f"broker {broker.number} of Kafka does not start:\n{broker.tail()}")
            time.sleep(0.1)

    def restart(self, broker: Broker) -> None:
        broker.start(self.classes)
        self.wait_for(broker)

    def stop(self) -> None:
        for broker in self.brokers:
            if broker.process is not None:
                broker.process.terminate()
        for broker in self.brokers:
            broker.stop()
