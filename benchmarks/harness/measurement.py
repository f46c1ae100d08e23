"""What one run of a query cost."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One run: the wall clock, the processor, and memory at its highest."""

    events: int
    seconds: float
    # User and system together, of the process that does the work.
    cpu_seconds: float
    peak_bytes: int

    @property
    def rate(self):
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_rate(self):
        """Events for each second of the processor."""
        return self.events / self.cpu_seconds

    def __str__(self):
        return (f"{self.seconds:6.2f} s  {self.cpu_seconds:6.2f} CPU s  {self.rate / 1e6:7.3f} M/s  {self.cpu_rate / 1e6:7.3f} M/CPU s  "
                f"{self.peak_bytes / 1e6:6.0f} MB")


def median(values):
    """The middle one; of an even number the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
