"""A query on both engines, as figures."""
import math

from harness.measurement import median
from harness.store import unpack


class Comparison:
    """What the pairs of a query say."""

    def __init__(self, name, stored):
        self.name = name
        self.events = stored["events"]
        self.ours = [unpack(pair[0]) for pair in stored["pairs"]]
        self.theirs = [unpack(pair[1]) for pair in stored["pairs"]]
        self.ratios = sorted(ours.cpu_rate / theirs.cpu_rate for ours, theirs in zip(self.ours, self.theirs))

    @property
    def ratio(self):
        """Events per CPU second, Flott over Flink: the pair in the middle."""
        return median(self.ratios)

    @property
    def wall_ratio(self):
        return median([ours.rate / theirs.rate for ours, theirs in zip(self.ours, self.theirs)])

    @property
    def memory_share(self):
        """Peak memory, Flott over Flink."""
        return peak(self.ours) / peak(self.theirs)


def peak(measurements):
    return max(each.peak_bytes for each in measurements)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))
