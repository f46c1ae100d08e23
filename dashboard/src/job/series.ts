// Values over time, as charts take them: the last ones are kept. Pure.

/** So many samples of a metric are kept: ten minutes at the rate of the page. */
export const KEPT = 300

export interface Samples {
  times: number[]
  /** By the name of the series; a sample that is missing is null. */
  values: Map<string, (number | null)[]>
}

export function emptySamples(): Samples {
  return { times: [], values: new Map() }
}

/** The samples with one more. Series may come and go: a subtask that restarts has no value in between. */
export function withSample(before: Samples, time: number, sample: Map<string, number>, kept = KEPT): Samples {
  const length = before.times.length
  const names = new Set([...before.values.keys(), ...sample.keys()])
  const values = new Map<string, (number | null)[]>()
  for (const name of names) {
    const old = before.values.get(name) ?? Array<number | null>(length).fill(null)
    values.set(name, [...old, sample.get(name) ?? null].slice(-kept))
  }
  return { times: [...before.times, time].slice(-kept), values }
}
