// Spans of time of jobs, vertices and subtasks. Pure.

export interface Segment {
  state: string
  from: number
  to: number
}

/** Where something stays for a while. */
const TERMINAL = new Set(['FINISHED', 'CANCELED', 'FAILED'])

/** From when each state was entered to how long it lasted. What has not ended goes on until `now`. */
export function segments(timestamps: Record<string, number>, now: number): Segment[] {
  const entered = Object.entries(timestamps).filter(([, at]) => at > 0).sort(([, a], [, b]) => a - b)
  return entered.flatMap(([state, from], index) => {
    const to = entered[index + 1]?.[1] ?? (TERMINAL.has(state) ? from : now)
    return to > from ? [{ state, from, to }] : []
  })
}

/** From the first beginning to the last end. */
export function extent(all: Segment[][]): { from: number; to: number } | undefined {
  const flat = all.flat()
  if (flat.length === 0) return undefined
  const from = Math.min(...flat.map((segment) => segment.from))
  const to = Math.max(...flat.map((segment) => segment.to))
  return { from, to: Math.max(to, from + 1) }
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
]

/** Marks of an axis, as milliseconds after its beginning: at most so many, at round distances. */
export function ticks(length: number, most: number): number[] {
  const step = STEPS.find((step) => length / step <= most) ?? Math.ceil(length / most / 86_400_000) * 86_400_000
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step)
}
