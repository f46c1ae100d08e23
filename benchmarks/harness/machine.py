"""What a measurement was made on."""
import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess


def text(command):
    """The first line that a command prints, or nothing where there is no such command."""
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (told.stdout + told.stderr).strip().partition("\n")[0]


def which(command):
    """Where a command is."""
    found = shutil.which(command)
    if not found:
        raise RuntimeError(f"there is no {command}")
    return found


def processor():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return model.group(1) if model else platform.machine()


def memory():
    total = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8"))
    return f"{int(total.group(1)) / 1024 / 1024:.0f} GiB"


def describe():
    """-> dictionary for the report"""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": memory(),
        "system": f"Linux {platform.release()}",
        "commit": text(["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=10"]),
        "rustc": text(["rustc", "--version"]).partition(" (")[0],
        "java": text(["java", "-version"]),
    }
