"""What a round may consist of. Each module has `run(world)`, which raises `driver.Failure`, and says in its head what it tries."""
import importlib

NAMES = ("flights", "tail", "shared", "twice", "damage", "growing", "ttl", "consumer", "inputs", "errors")


def load(names):
    return {name: importlib.import_module(f"scenarios.{name}") for name in names}
