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
import random
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
    """`items` are expressions; a group without them is a statement of its own, which `before` is. `kind` is their area and template; `kinds` are those of
    each item, if they differ."""
    kind: str
    before: str
    items: tuple = ()
    after: str = ";\n"
    lead: str = ""
    root: str = "functions"
    kinds: tuple = ()

    def script(self):
        if not self.items:
            return self.before
        lead = f"  {self.lead},\n" if self.lead else ""
        return self.before + "SELECT\n" + lead + ",\n".join(f"  {item} AS c{at + 1}" for at, item in enumerate(self.items)) + self.after

    def key(self):
        return hashlib.sha1(f"{self.root}|{self.script()}".encode()).hexdigest()[:20]

    def pick(self, places):
        kinds = tuple(self.kinds[at] for at in places) if self.kinds else ()
        return dataclasses.replace(self, items=tuple(self.items[at] for at in places), kinds=kinds, kind=kinds[0] if len(kinds) == 1 else self.kind)

    def statements(self):
        """What is counted: each expression, or the statement."""
        return [self.pick([at]) for at in range(len(self.items))] if self.items else [self]

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
            return [(self.pick([at]), answer)], [self.pick([other for other in range(len(self.items)) if other != at])]
        half = len(self.items) // 2
        return [], [self.pick(range(half)), self.pick(range(half, len(self.items)))]


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


def regroup(command, groups, store, width):
    """The same expressions in other groups: those that Flott answers together, whatever their templates, and the others one by one. Flink mostly agrees, so
    that few groups must be taken apart."""
    known = dict(json.loads(line) for line in store.read_text(encoding="utf-8").split("\n") if line) if store.exists() else {}
    whole = [group for group in groups if not group.items]
    run = Program([command], "{}\n", 1).run([group for group in groups if group.items and group.key() not in known])
    more = None
    with store.open("a", encoding="utf-8") as out:
        while True:
            try:
                group, answer = run.send(more)
            except StopIteration:
                break
            known[group.key()] = "columns" in answer
            out.write(json.dumps([group.key(), known[group.key()]]) + "\n")
            more = [each for each in group.statements() if each.key() not in known] if not known[group.key()] and len(group.items) > 1 else None
    together, alone = collections.defaultdict(list), []
    for group in groups:
        if group.items:
            fine = known.get(group.key())
            for each in group.statements():
                if fine or known.get(each.key()):
                    together[group.before, group.after, group.lead, group.root].append(each)
                else:
                    alone.append(each)
    made = []
    for (before, after, lead, root), each in together.items():
        for at in range(0, len(each), width):
            some = list({one.items[0]: one for one in each[at:at + width]}.values())
            made.append(Group(some[0].kind, before, tuple(one.items[0] for one in some), after, lead, root, tuple(one.kind for one in some)))
    # Where the time ends too early, something of everything was asked.
    for part in (made, whole, alone):
        random.Random(len(part)).shuffle(part)
    return made + whole + alone
