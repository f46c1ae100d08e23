#!/usr/bin/env python3
"""The arithmetic and the reports of the benchmarks, without running any."""
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))

from harness import check, generators, latency, pairs, plot, procfs, queries, report  # noqa: E402
from harness.comparison import Comparison, geometric_mean  # noqa: E402
from harness.measurement import Measurement, median  # noqa: E402
from harness.queries import Workload  # noqa: E402
from harness.store import Store, pack  # noqa: E402

MACHINE = {"date": "2026-01-02", "processor": "P", "cores": 2, "memory": "8 GiB", "system": "Linux", "commit": "abc", "rustc": "rustc 1", "java": "Java 17"}


def stored(*pairs_of_seconds):
    """A query of a million events, with these CPU seconds of Flott and Flink."""
    measured = [[pack(Measurement(1_000_000, seconds, seconds, memory)) for seconds, memory in zip(pair, (10_000_000, 1_000_000_000))]
                for pair in pairs_of_seconds]
    return {"events": 1_000_000, "pairs": measured, "parallelism": 2, "memory": "6g", "machine": MACHINE}


class Figures(unittest.TestCase):
    def test_ratios_are_of_pairs_and_not_of_means(self):
        comparison = Comparison("q0", stored((1, 10), (2, 10), (1, 30)))
        self.assertEqual([round(ratio, 6) for ratio in comparison.ratios], [5, 10, 30])
        self.assertEqual(comparison.ratio, 10)
        self.assertEqual(comparison.memory_share, 0.01)

    def test_means(self):
        self.assertEqual(median([5, 1, 3]), 3)
        self.assertEqual(median([4, 1]), 2.5)
        self.assertAlmostEqual(geometric_mean([2, 8]), 4)

    def test_the_number_of_events_is_found_by_running(self):
        asked = []

        def run(events):
            asked.append(events)
            # A million a second, and a start of two seconds.
            return Measurement(events, 2 + events / 1e6, 1, 1)

        events = pairs.calibrate(run)
        self.assertTrue(pairs.SHORTEST <= 2 + events / 1e6 <= pairs.LONGEST)
        self.assertEqual(asked[-1], events)
        self.assertEqual(pairs.round_events(12_345_678), 12_000_000)

    def test_a_query_got_slower_if_all_pairs_say_so(self):
        def found(*seconds):
            pairs = [(Measurement(1, 1, 1.0, 1), Measurement(1, 1, each, 1)) for each in seconds]
            return check.verdict(check.ratios(pairs))

        self.assertEqual(found(1.3, 1.1, 1.02), "slower")
        self.assertEqual(found(1.3, 1.1, 0.98), "", "one pair says otherwise")
        self.assertEqual(found(1.03, 1.04, 1.02), "", "too little")
        self.assertEqual(found(0.8, 0.9, 0.99), "faster")

    def test_a_check_runs_for_long_enough(self):
        def run(per_second):
            return lambda events: Measurement(events, 1, 0.05 + events / per_second, 1)

        for per_second in (1e5, 1e6, 4e7, 1e12):
            events = check.calibrate(run(per_second))
            long_enough = run(per_second)(events).cpu_seconds >= check.SECONDS / 2
            self.assertTrue(long_enough or events == check.MOST, f"{events} at {per_second}")
        self.assertEqual(check.rounded(12_345_678), 12_000_000)

    def test_processor_time_between_two_notes(self):
        log = procfs.CpuLog(0)
        log.entries = [(10.0, 1.0), (10.5, 2.0), (11.0, 2.0)]
        self.assertEqual([log.at(moment) for moment in (9, 10.25, 10.5, 10.75, 12)], [1.0, 1.5, 2.0, 2.0, 2.0])

    def test_latency_is_that_of_the_worse_subtask(self):
        printed = "latency:1> 10 rows, p50 1 ms, p99 30 ms, max 40 ms, 0 early\nlatency:2> 20 rows, p50 2 ms, p99 3 ms, max 4 ms, 1 early\n"
        self.assertEqual(latency.figures_of(printed), {"rows": 30, "p50": 2, "p99": 30, "max": 40})
        self.assertRaises(RuntimeError, latency.figures_of, "")


class Scripts(unittest.TestCase):
    def test_every_placeholder_is_filled(self):
        for name in queries.names():
            self.assertNotIn("${", queries.script(name, Workload(7)))
            self.assertTrue(queries.title(name))
        self.assertLessEqual(set(queries.BARRED), set(queries.names()))
        self.assertNotIn("'4' SECOND", latency.script(latency.CASES["q12"], Workload(7)))

    def test_a_difference_of_generators_is_found(self):
        self.assertEqual(generators.difference(["a", "b"], ["a", "b"]), "")
        self.assertIn("the event at 1 differs", generators.difference(["a", "b"], ["a", "c"]))
        self.assertIn("1 events in Rust, 2 in Java", generators.difference(["a"], ["a", "b"]))
        row = ["2", *[None] * 18, "1", "2", "3", "c", "u", "1970-01-01 00:00:01.500", "x"]
        self.assertEqual(generators.line(row), "2\t1\t2\t3\tc\tu\t1500\tx")
        row[1] = "1"
        self.assertIn("are not NULL", generators.line(row))


class Reports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_run_of_some_queries_leaves_the_others(self):
        path = self.folder / "results" / "nexmark.json"
        Store(path).put("flink", "q0", stored((1, 10)))
        Store(path).put("flink", "q1", stored((1, 20)))
        again = Store(path)
        again.put("flink", "q1", stored((1, 30)))
        self.assertEqual(sorted(Store(path).section("flink")), ["q0", "q1"])
        self.assertAlmostEqual(Comparison("q1", Store(path).section("flink")["q1"]).ratio, 30)

    def test_only_what_is_generated_is_replaced(self):
        store = Store(self.folder / "results.json")
        store.put("flink", "q0", stored((1, 10)))
        page, picture = self.folder / "page.md", self.folder / "picture.svg"
        page.write_text("# Before\n", encoding="utf-8")
        report.write(store, page, picture)
        page.write_text(page.read_text(encoding="utf-8") + "\n# After\n", encoding="utf-8")
        first = page.read_text(encoding="utf-8")
        store.put("flink", "q0", stored((1, 12)))
        report.write(store, page, picture)
        second = page.read_text(encoding="utf-8")
        self.assertIn("10.0 – **10.0** – 10.0", first)
        self.assertEqual(second, first.replace("10.0", "12.0").replace("100 k", "83.3 k"))
        self.assertTrue(second.startswith("# Before\n") and second.endswith("\n# After\n"))

    def test_the_picture_has_a_bar_for_each_query(self):
        comparisons = [Comparison("q0", stored((1, 10))), Comparison("q1", stored((1, 0.5)))]
        path = self.folder / "picture.svg"
        plot.write(comparisons, {"q0": "A & B", "q1": "C"}, 2.2, path)
        bars = xml.etree.ElementTree.parse(path).getroot().findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars), 3)
        self.assertGreater(float(bars[0].get("width")), float(bars[1].get("width")))


if __name__ == "__main__":
    unittest.main()
