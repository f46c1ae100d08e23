"""Measures Nexmark: on Flott alone, against a real Flink in pairs, and against hand-written loops.

`queries` makes scripts, `flott_engine` and `flink_engine` run one and measure it, `pairs` alternates them, `store` keeps what was measured, `report` and `plot`
write it into the documentation. `machine` says what it was measured on.
"""
