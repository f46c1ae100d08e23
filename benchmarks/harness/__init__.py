"""Measures Nexmark: on Flott alone, beside a real Flink in pairs, and beside loops written by hand.

`queries` makes scripts, `flott_engine` and `flink_engine` run one and measure it, `pairs` alternates them, `store` keeps what was measured, `report` and `plot`
write it into the documentation. `machine` says what it was measured on.
"""
