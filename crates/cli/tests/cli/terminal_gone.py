"""The terminal of a shell goes away without a signal: the shell must end, and not read from it forever.

usage: terminal_gone.py FLOTT FOLDER
"""
import os
import pty
import subprocess
import sys

flott, folder = sys.argv[1:]
master, slave = pty.openpty()
environment = dict(os.environ, XDG_STATE_HOME=folder, TERM="xterm")
# No separate session: the pseudo terminal controls nobody, and nobody gets SIGHUP.
shell = subprocess.Popen([flott, "sql"], stdin=slave, stdout=slave, stderr=slave, env=environment)
os.close(slave)
seen = b""
while b"SQL" not in seen:
    seen += os.read(master, 4096)
os.close(master)
try:
    code = shell.wait(timeout=20)
except subprocess.TimeoutExpired:
    shell.kill()
    sys.exit("the shell still runs 20 s after its terminal went away")
print(f"exit status {code}")
