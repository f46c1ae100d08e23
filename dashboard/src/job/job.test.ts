import { describe, expect, test } from 'vitest'
import type { PlanNode } from '../types'
import { edgesOf, layout, layoutKey, path } from './graph'
import { loadOf, metricsOf, mood, scope } from './load'
import { emptySamples, withSample } from './series'
import { extent, segments, ticks } from './timeline'

const node = (id: string, ...from: [string, string][]): PlanNode => ({
  id, parallelism: 1, description: id, inputs: from.map(([id, ship_strategy], num) => ({ id, ship_strategy, num, exchange: '' })),
})
// A join of two sources, one of which comes twice, as the server lists them: receivers first.
const PLAN = [node('join', ['a', 'HASH'], ['b', 'HASH'], ['a', 'FORWARD'], ['gone', 'HASH']), node('b'), node('a')]

describe('graph', () => {
  test('edges between the same vertices differ; an unknown sender has none', () => {
    expect(edgesOf(PLAN).map((edge) => `${edge.key} ${edge.strategy}`)).toEqual(['a>join#0 HASH', 'b>join#1 HASH', 'a>join#2 FORWARD'])
  })
  test('senders stand before receivers, and nothing overlaps', () => {
    const size = { width: 200, height: 100 }
    for (const direction of ['LR', 'TB'] as const) {
      const drawn = layout(PLAN, size, direction)
      const [join, a, b] = ['join', 'a', 'b'].map((id) => drawn.places.get(id) ?? { x: 0, y: 0 })
      if (!join || !a || !b) throw new Error('not all have places')
      const [along, across] = direction === 'LR' ? (['x', 'y'] as const) : (['y', 'x'] as const)
      const [long, broad] = direction === 'LR' ? [200, 100] : [100, 200]
      expect(join[along]).toBeGreaterThanOrEqual(Math.max(a[along], b[along]) + long)
      expect(Math.abs(a[across] - b[across])).toBeGreaterThanOrEqual(broad)
      expect(drawn.edges.every((edge) => edge.points.length >= 2)).toBe(true)
      expect(drawn.width).toBeGreaterThan(join.x)
    }
  })
  test('a layout is made anew only when the graph is another', () => {
    const busier = PLAN.map((node) => ({ ...node, parallelism: 8 }))
    expect(layoutKey(busier)).toBe(layoutKey(PLAN))
    expect(layoutKey(PLAN.slice(1))).not.toBe(layoutKey(PLAN))
  })
  test('lines go through their ends', () => {
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 0 }])).toBe('M0,0L10,0')
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 4 }, { x: 20, y: 4 }])).toBe('M0,0Q10,4 15,4L20,4')
    expect(path([])).toBe('')
  })
  test('a plan without edges, and one of nothing', () => {
    expect(layout([node('a')], { width: 10, height: 10 }, 'LR').places.size).toBe(1)
    expect(layout([], { width: 10, height: 10 }, 'LR').places.size).toBe(0)
  })
})

describe('load', () => {
  test('is put together from the metrics of subtasks', () => {
    const load = loadOf([
      { id: 'numRecordsInPerSecond', sum: 200 }, { id: 'busyTimeMsPerSecond', avg: 300, max: 1_200 }, { id: 'idleTimeMsPerSecond', avg: 700 },
      { id: 'backPressuredTimeMsPerSecond', avg: 0 }, { id: 'numRecordsIn', sum: 10, skew: 25 }, { id: 'currentInputWatermark', min: 5 },
    ])
    expect(load).toMatchObject({ recordsIn: 200, busy: 0.3, busiest: 1, idle: 0.7, backPressured: 0, skew: 0.25, watermark: 5 })
    expect(loadOf([])).toMatchObject({ busy: undefined, watermark: undefined })
  })
  test('of a source, the watermark is what leaves its chain', () => {
    expect(metricsOf('Source: a.b, c<br/>+- Watermarks<br/>', true).slice(-2)).toEqual(['Source__a_b__c.currentOutputWatermark', 'Watermarks.currentOutputWatermark'])
    const load = loadOf([{ id: 'a.currentOutputWatermark', min: -9223372036854776000 }, { id: 'b.currentOutputWatermark', min: 7 }])
    expect(load.watermark).toBe(7)
    expect(scope('a b:c')).toBe('a_b_c')
  })
  test('gives a vertex its colour', () => {
    expect(mood({ busy: 0.9 }, 'RUNNING')).toBe('busy')
    expect(mood({ busy: 0.1, backPressured: 0.8 }, 'RUNNING')).toBe('pressed')
    expect(mood({ busy: 0.1 }, 'RUNNING')).toBe('idle')
    expect(mood({ busy: 0.9 }, 'FINISHED')).toBe('still')
  })
})

describe('timeline', () => {
  test('each state lasts until the next, the last one until now', () => {
    expect(segments({ RUNNING: 30, CREATED: 10, FAILED: 0 }, 50)).toEqual([{ state: 'CREATED', from: 10, to: 30 }, { state: 'RUNNING', from: 30, to: 50 }])
  })
  test('an end lasts no longer', () => {
    expect(segments({ RUNNING: 30, FINISHED: 40 }, 90)).toEqual([{ state: 'RUNNING', from: 30, to: 40 }])
  })
  test('the axis goes from the first to the last', () => {
    expect(extent([[], [{ state: 'A', from: 3, to: 9 }], [{ state: 'B', from: 1, to: 2 }]])).toEqual({ from: 1, to: 9 })
    expect(extent([[]])).toBeUndefined()
    expect(ticks(9_000, 6)).toEqual([0, 2_000, 4_000, 6_000, 8_000])
    expect(ticks(40 * 86_400_000, 6).length).toBeLessThanOrEqual(7)
  })
})

describe('series', () => {
  test('the last samples are kept, and what is missing is a gap', () => {
    let samples = withSample(emptySamples(), 1, new Map([['a', 1]]), 2)
    samples = withSample(samples, 2, new Map([['b', 2]]), 2)
    expect([samples.times, ...samples.values]).toEqual([[1, 2], ['a', [1, null]], ['b', [null, 2]]])
    samples = withSample(samples, 3, new Map([['b', 3]]), 2)
    expect([samples.times, ...samples.values]).toEqual([[2, 3], ['a', [null, null]], ['b', [2, 3]]])
  })
})
