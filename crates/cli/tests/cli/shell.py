"""Plays a user of the shell on a pseudo terminal. usage: shell.py PATH_OF_FLOTT FOLDER"""
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import sys
import termios
import time

BINARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
TIMEOUT = 20
ESCAPES = re.compile(r"\x1b\[[0-9;?>=<]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>78]")


class Terminal:
    def __init__(self, *arguments):
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(FOLDER)}
        for key in ("FLOTT_CONF_DIR", "FLOTT_LOG", "NO_COLOR"):
            environment.pop(key, None)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BINARY, [BINARY, *arguments], environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.raw = ""

    def read(self, wait):
        """More of what the shell writes; a terminal answers where its cursor is."""
        if not select.select([self.fd], [], [], wait)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            raise EOFError from None
        if not data:
            raise EOFError
        if b"\x1b[6n" in data:
            os.write(self.fd, b"\x1b[5;1R")
        self.raw += data.decode("utf-8", "replace")

    def expect(self, text, raw=False):
        """Waits for a text since the last call of `type`."""
        end = time.monotonic() + TIMEOUT
        while text not in (self.raw if raw else ESCAPES.sub("", self.raw)):
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r} in\n{ESCAPES.sub('', self.raw)}")
            try:
                self.read(0.1)
            except EOFError:
                raise AssertionError(f"the end, and no {text!r} in\n{ESCAPES.sub('', self.raw)}") from None

    def type(self, text):
        self.raw = ""
        os.write(self.fd, text.encode())

    def prompt(self):
        """Waits until the shell waits."""
        end = time.monotonic() + TIMEOUT
        while not ESCAPES.sub("", self.raw).endswith("Flott SQL> "):
            assert time.monotonic() < end, f"no prompt at the end of\n{ESCAPES.sub('', self.raw)}"
            self.read(0.1)

    def end(self):
        deadline = time.monotonic() + TIMEOUT
        try:
            while time.monotonic() < deadline:
                self.read(0.1)
            os.kill(self.pid, 9)
        except EOFError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def main():
    shell = Terminal("sql", "-D", "parallelism.default=1")
    shell.prompt()

    # A statement of two lines.
    shell.type("SELECT 40 +\r")
    shell.expect("> ")
    shell.type("2 AS answer;\r")
    shell.expect("| answer |")
    shell.expect("|     42 |")
    shell.expect("1 row in set")
    shell.prompt()

    # Ctrl-C clears the line.
    shell.type("SELECT nonsense")
    shell.expect("nonsense")
    shell.type("\x03")
    shell.prompt()

    # An error is reported, and the shell continues.
    shell.type("SELECT nope;\r")
    shell.expect("[ERROR]")
    shell.prompt()

    # Completion.
    shell.type("SELECT SUBSTRIN\t")
    shell.expect("SUBSTRING")
    shell.type("('abc', 2) AS s;\r")
    shell.expect("| bc |")
    shell.prompt()

    # What is typed while a query runs is not lost.
    shell.type("CREATE TABLE few (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'number-of-rows' = '10');\r")
    shell.expect("[INFO] Execute statement succeeded.")
    shell.prompt()
    shell.type("SELECT COUNT(*) AS few FROM few;\r")
    shell.expect("few;\r\n")
    time.sleep(0.3)
    os.write(shell.fd, b"SELECT 'typed' || ' ahead' AS t;\r")
    shell.expect("|  10 |")
    shell.expect("| typed ahead |")
    shell.prompt()

    # Ctrl-C ends a query and not the shell.
    shell.type("CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\r")
    shell.expect("[INFO] Execute statement succeeded.")
    shell.prompt()
    shell.type("SET 'sql-client.execution.result-mode' = 'tableau';\r")
    shell.expect("[INFO] Execute statement succeeded.")
    shell.prompt()
    shell.type("SELECT * FROM u;\r")
    shell.expect("| +I |")
    shell.type("\x03")
    shell.expect("[INFO] Query terminated.")
    shell.prompt()

    # The table of an unbounded query has its own screen.
    shell.type("RESET 'sql-client.execution.result-mode';\r")
    shell.expect("[INFO] Execute statement succeeded.")
    shell.prompt()
    shell.type("SELECT COUNT(*) AS c FROM u;\r")
    shell.expect("\x1b[?1049h", raw=True)
    shell.expect("rows 1 to 1 of 1")
    shell.type("q")
    shell.expect("\x1b[?1049l", raw=True)
    shell.expect("[INFO] Query terminated.")
    shell.prompt()

    # A job is stopped with a savepoint; the answer comes when it has ended.
    for statement in (
        f"SET 'execution.checkpointing.savepoint-dir' = '{FOLDER}/savepoints';",
        "CREATE TABLE s (id BIGINT) WITH ('connector' = 'blackhole');",
    ):
        shell.type(statement + "\r")
        shell.expect("[INFO] Execute statement succeeded.")
        shell.prompt()
    shell.type("INSERT INTO s SELECT id FROM u;\r")
    shell.expect("[INFO] Job ID: ")
    shell.prompt()
    job = re.search(r"Job ID: (\w+)", ESCAPES.sub("", shell.raw)).group(1)
    end = time.monotonic() + TIMEOUT
    answer = ""
    while "savepoint path" not in answer:
        assert time.monotonic() < end, answer
        shell.type(f"STOP JOB '{job}' WITH SAVEPOINT;\r")
        shell.expect("WITH SAVEPOINT;\r\n")
        shell.prompt()
        answer = ESCAPES.sub("", shell.raw)
        # Asked before all of its tasks run it refuses.
        assert "savepoint path" in answer or "[ERROR] the job is" in answer, answer
    savepoint = re.search(r"file://(\S+/savepoint-\S+)", answer).group(1)
    assert (pathlib.Path(savepoint) / "_metadata").exists(), savepoint
    shell.type("SHOW JOBS;\r")
    shell.expect("FINISHED")
    shell.prompt()

    # Leaving with a job takes two.
    shell.type("CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');\r")
    shell.expect("[INFO] Execute statement succeeded.")
    shell.prompt()
    shell.type("INSERT INTO b SELECT id FROM u;\r")
    shell.expect("[INFO] Job ID: ")
    shell.prompt()
    shell.type("SHOW JOBS;\r")
    shell.expect("| insert-into_default_catalog.default_database.b |")
    shell.prompt()
    started = re.findall(r"([0-9a-f]{32})", ESCAPES.sub("", shell.raw))[-1]
    shell.type(f"DESCRIBE JOB '{started}';\r")
    shell.expect("| insert-into_default_catalog.default_database.b |")
    shell.prompt()
    shell.type("\x04")
    shell.expect("Once more to leave nevertheless.")
    shell.prompt()
    shell.type("QUIT;\r")
    assert shell.end() == 0, "exit status"

    history = (FOLDER / "flott" / "history").read_text(encoding="utf-8")
    assert "SELECT 40 +" in history and "SHOW JOBS;" in history, history

    # SIGTERM ends a shell that waits for input.
    shell = Terminal("sql")
    shell.prompt()
    os.kill(shell.pid, 15)
    status = shell.end()
    assert status == 143, status


if __name__ == "__main__":
    main()
