"""Two engines alternate on the same query, so that other load on the machine affects both."""

# How long Flink should take: long enough that neither start-up nor a checkpoint decides, short enough to be repeated.
SHORTEST, TARGET, LONGEST = 15, 25, 40
WARM_UP_EVENTS = 2_000_000
LARGEST_GROWTH = 20


def round_events(events):
    """Two digits that matter."""
    events = int(events)
    return max(round(events, 2 - len(str(events))), 1)


def calibrate(run):
    """Warms up, and finds how many events take about as long as wanted. `run` takes a number of events. -> number of events"""
    events = WARM_UP_EVENTS
    while True:
        events = round_events(events)
        seconds = run(events).seconds
        if SHORTEST <= seconds <= LONGEST:
            return events
        events *= min(TARGET / seconds, LARGEST_GROWTH)


def alternate(first, second, rounds):
    """-> list of pairs of what both gave"""
    return [(first(), second()) for _ in range(rounds)]
