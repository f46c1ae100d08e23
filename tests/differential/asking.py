"""Groups of expressions, and two programs that answer scripts: a real Flink, and Flott.

A group is a SELECT of several expressions over one table, or over none. Flink answers five scripts a second, however many expressions they have; so
expressions are asked in groups, and a group that Flink refuses is taken apart: the expression that the message points to is taken out, otherwise the
group is halved. Answers of Flink are kept by script, so that a run that is repeated asks nothing twice.
"""
import collections
import dataclasses
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "conformance"
PLACE = re.compile(r"[Ff]rom line (\d+), column|at line (\d+), column")
GONE = ("timeout", "driver", "setup")


@dataclasses.dataclass(frozen=True)
class Group:
    """`items` are expressions; a group without them is a statement of its own, which `before` is."""
    kind: str
    before: str
    items: tuple = ()
    after: str = ";\n"
    lead: str = ""
    root: str = "functions"

    def script(self):
        if not self.items:
            return self.before
        lead = f"  {self.lead},\n" if self.lead else ""
        return self.before + "SELECT\n" + lead + ",\n".join(f"  {item} AS c{at + 1}" for at, item in enumerate(self.items)) + self.after

    def key(self):
        return hashlib.sha1(f"{self.root}|{self.script()}".encode()).hexdigest()[:20]

    def of(self, items):
        return dataclasses.replace(self, items=tuple(items))

    def statements(self):
        """What is counted: each expression, or the statement."""
        return [self.of([item]) for item in self.items] if self.items else [self]

    def pointed_at(self, answer):
        """The expression that the message points to, if it does."""
        for _, message in answer.get("chain", []):
            found = PLACE.search(message or "")
            if found:
                at = int(found.group(1) or found.group(2)) - 2 - (1 if self.lead else 0)
                return at if 0 <= at < len(self.items) else None
        return None

    def apart(self, answer):
        """-> (groups with their answers, groups to ask)"""
        if len(self.items) < 2 or answer.get("phase") in ("driver", "setup"):
            return [(self, answer)], []
        at = self.pointed_at(answer)
        if at is not None:
            return [(self.of([self.items[at]]), answer)], [self.of(self.items[:at] + self.items[at + 1:])]
        half = len(self.items) // 2
        return [], [self.of(self.items[:half]), self.of(self.items[half:])]


class Program:
    """A process that reads scripts and answers them in any order."""

    def __init__(self, command, form, threads):
        self.command, self.form, self.threads = command, form, threads
        self.folder = tempfile.TemporaryDirectory()
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def stop(self):
        if self.process:
            self.process.stdin.close()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process = None

    def run(self, groups, until=None):
        """Yields (group, answer); `more` may be sent back."""
        todo, flying = collections.deque(groups), {}
        try:
            while todo or flying:
                if self.process is None:
                    self.start()
                late = until is not None and time.monotonic() > until
                while todo and len(flying) < self.threads and not late:
                    group = todo.popleft()
                    path = pathlib.Path(self.folder.name) / f"{group.key()}.sql"
                    path.write_text(group.script().replace("${DATA}", str(DATA / group.root / "data")), encoding="utf-8")
                    flying[str(path)] = group
                    self.process.stdin.write(self.form.format(path))
                self.process.stdin.flush()
                if not flying:
                    return
                line = self.process.stdout.readline()
                if not line:
                    # It died of one of these; each on its own tells of which.
                    self.process.wait()
                    self.process = None
                    for path, group in flying.items():
                        if len(flying) == 1:
                            todo.extend((yield group, {"error": "the process died", "panic": True, "phase": "driver", "chain": []}) or [])
                    if len(flying) > 1:
                        self.threads = 1
                        todo.extendleft(flying.values())
                    flying = {}
                    continue
                if '"path"' not in line:
                    continue
                answer = json.loads(line)
                path = answer.pop("path")
                pathlib.Path(path).unlink()
                todo.extend((yield flying.pop(path), answer) or [])
        finally:
            self.stop()


def ask_flink(command, groups, store, until):
    """The answers of Flink: groups of which each is answered with rows, or is one expression."""
    answers = {}
    if store.exists():
        for line in store.read_text(encoding="utf-8").split("\n"):
            if line:
                key, answer = json.loads(line)
                answers[key] = answer
    found = []

    def settle(group, answer):
        if "columns" in answer or not group.items:
            found.append((group, answer))
            return []
        leaves, rest = group.apart(answer)
        found.extend(leaves)
        return rest

    def known(todo):
        """What must still be asked."""
        todo, new = collections.deque(todo), []
        while todo:
            group = todo.popleft()
            answer = answers.get(group.key())
            if answer is None:
                new.append(group)
            else:
                todo.extend(settle(group, answer))
        return new

    todo = known(groups)
    asked = 0
    if todo and command:
        flink = Program([*command.split(), "ask"], "R\t{}\n", 4)
        run = flink.run(todo, until)
        with store.open("a", encoding="utf-8") as out:
            more = None
            while True:
                try:
                    group, answer = run.send(more)
                except StopIteration:
                    break
                asked += 1
                answers[group.key()] = answer
                out.write(json.dumps([group.key(), answer]) + "\n")
                more = known(settle(group, answer))
    return [(group, answer) for group, answer in found if answer.get("phase") not in GONE], asked
