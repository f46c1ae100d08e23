// How busy a vertex is and what goes through it, from the metrics of its subtasks. Pure.

import type { AggregatedMetric, VertexSummary } from '../types'
import { isMoment, operators } from '../format'

export interface Load {
  /** Records per second, of all subtasks together. */
  recordsIn?: number
  recordsOut?: number
  bytesIn?: number
  bytesOut?: number
  /** Shares of time, on average over subtasks. */
  busy?: number
  backPressured?: number
  idle?: number
  /** The busiest subtask's share. */
  busiest?: number
  /** How unevenly records are spread over subtasks, from 0 to 1. */
  skew?: number
  /** The lowest over subtasks. */
  watermark?: number
}

const TASK_METRICS = [
  'numRecordsInPerSecond', 'numRecordsOutPerSecond', 'numBytesInPerSecond', 'numBytesOutPerSecond',
  'busyTimeMsPerSecond', 'backPressuredTimeMsPerSecond', 'idleTimeMsPerSecond',
  'numRecordsIn', 'numRecordsOut', 'currentInputWatermark',
]

/** An operator's name within the name of a metric, as the server writes it. */
export function scope(name: string): string {
  return name.replace(/[ .,:?&=]/g, '_')
}

/** The metrics of a vertex that its load is made of; watermarks that leave a source are its operators'. */
export function metricsOf(description: string, isSource: boolean): string[] {
  if (!isSource) return TASK_METRICS
  const names = operators(description).map(({ name }) => `${scope(name)}.currentOutputWatermark`)
  return [...TASK_METRICS, ...names.slice(-8)]
}

export function loadOf(metrics: AggregatedMetric[]): Load {
  const of = (name: string) => metrics.find((metric) => metric.id === name)
  const share = (name: string, kind: 'avg' | 'max') => {
    const value = of(name)?.[kind]
    return value === undefined ? undefined : Math.min(Math.max(value / 1000, 0), 1)
  }
  const records = (of('numRecordsIn')?.sum ?? 0) > 0 ? of('numRecordsIn') : of('numRecordsOut')
  const left = metrics.filter((metric) => metric.id.endsWith('.currentOutputWatermark') && isMoment(metric.min))
  return {
    recordsIn: of('numRecordsInPerSecond')?.sum,
    recordsOut: of('numRecordsOutPerSecond')?.sum,
    bytesIn: of('numBytesInPerSecond')?.sum,
    bytesOut: of('numBytesOutPerSecond')?.sum,
    busy: share('busyTimeMsPerSecond', 'avg'),
    busiest: share('busyTimeMsPerSecond', 'max'),
    backPressured: share('backPressuredTimeMsPerSecond', 'avg'),
    idle: share('idleTimeMsPerSecond', 'avg'),
    skew: records?.skew === undefined ? undefined : records.skew / 100,
    // The last operator of a source's chain that has one is where it leaves.
    watermark: left.at(-1)?.min ?? of('currentInputWatermark')?.min,
  }
}

export type Mood = 'busy' | 'pressed' | 'idle' | 'still'

/** What a vertex spends most of its time with, which gives it its colour. */
export function mood(load: Load | undefined, status: string): Mood {
  if (load?.busy === undefined || status !== 'RUNNING') return 'still'
  const pressed = load.backPressured ?? 0
  if (pressed >= 0.5 && pressed >= load.busy) return 'pressed'
  return load.busy >= 0.5 ? 'busy' : 'idle'
}

/** Flink's words for how much of its time a task waits for receivers. */
export function pressure(share: number): 'ok' | 'low' | 'high' {
  return share <= 0.1 ? 'ok' : share <= 0.5 ? 'low' : 'high'
}

/** A short name of a vertex: its first operator and how many follow. */
export function shortName(vertex: Pick<VertexSummary, 'name'>, description: string): { head: string; more: number } {
  const all = operators(description)
  return { head: all[0]?.name ?? vertex.name, more: Math.max(all.length - 1, 0) }
}
