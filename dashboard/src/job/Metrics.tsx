// Metrics as charts: choose a vertex and its metrics, and watch them.

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { bytes, duration, percent, rate, watermark } from '../format'
import { parseRoute } from '../router'
import type { AggregatedMetric, Job, MetricValue } from '../types'
import { Chart } from '../ui/Chart'
import { Empty, Failure, Filter, Loading, Panel } from '../ui/parts'
import { usePoll } from '../usePoll'
import { shortName } from './load'
import { emptySamples, type Samples, withSample } from './series'

const USUAL = ['numRecordsInPerSecond', 'numRecordsOutPerSecond', 'busyTimeMsPerSecond', 'backPressuredTimeMsPerSecond']
/** More subtasks than these are shown as their least, average and greatest. */
const LINES = 8
const KEY = 'flott.metrics'

function chosenFor(name: string): string[] {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string[]>
    return stored[name] ?? USUAL
  } catch {
    return USUAL
  }
}

function remember(name: string, chosen: string[]): void {
  let stored: Record<string, string[]> = {}
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string[]>
  } catch { /* What cannot be read is replaced. */ }
  // By the vertex's name, so that the next run of the job has the same charts.
  const entries = Object.entries({ ...stored, [name]: chosen }).slice(-50)
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries)))
}

export function formatOf(metric: string): (value: number) => string {
  if (/TimeMsPerSecond$/.test(metric)) return (value) => percent(value / 1000)
  if (/Bytes|Size$/.test(metric)) return (value) => bytes(value)
  if (/[wW]atermark$/.test(metric)) return (value) => watermark(value)
  if (/(TimeMs|Duration|uptime|downtime|Time)$/.test(metric)) return (value) => duration(value)
  return (value) => rate(value)
}

export function MetricsPage({ job }: { job: Job }) {
  const asked = parseRoute(location.hash).query.get('vertex')
  const [id, setId] = useState(asked ?? job.vertices[0]?.id ?? '')
  const vertex = job.vertices.find((vertex) => vertex.id === id) ?? job.vertices[0]
  if (vertex === undefined) return <Empty title="This job has no vertices" />
  const descriptions = new Map(job.plan.nodes.map((node) => [node.id, node.description]))
  return (
    <>
      <div class="toolbar">
        <label>Vertex
          <select value={vertex.id} onChange={(event) => setId(event.currentTarget.value)}>
            {job.vertices.map((one) => <option key={one.id} value={one.id}>{shortName(one, descriptions.get(one.id) ?? '').head}</option>)}
          </select>
        </label>
      </div>
      <VertexMetrics key={vertex.id} job={job.jid} id={vertex.id} name={vertex.name} parallelism={vertex.parallelism} />
    </>
  )
}

function VertexMetrics({ job, id, name, parallelism }: { job: string; id: string; name: string; parallelism: number }) {
  const path = `/jobs/${job}/vertices/${id}`
  const names = usePoll(`names ${job} ${id}`, (signal) => get<MetricValue[]>(`${path}/subtasks/metrics`, signal), 20_000)
  const [chosen, setChosen] = useState(() => chosenFor(name))
  const [samples, setSamples] = useState(new Map<string, Samples>())
  const [filter, setFilter] = useState('')
  const choose = (next: string[]) => {
    setChosen(next)
    remember(name, next)
  }
  const isSummed = parallelism > LINES
  const { value, error } = usePoll(chosen.length === 0 ? null : `metrics ${job} ${id} ${chosen.join()}`, (signal) => ask(path, chosen, parallelism, signal))
  useEffect(() => {
    if (value === undefined) return
    setSamples((before) => new Map(chosen.map((metric) =>
      [metric, withSample(before.get(metric) ?? emptySamples(), value.at, value.samples.get(metric) ?? new Map())])))
  }, [value])
  const all = names.value?.map((metric) => metric.id) ?? []
  const others = all.filter((metric) => !chosen.includes(metric) && metric.toLowerCase().includes(filter.toLowerCase()))
  return (
    <>
      {error && !value && <Failure error={error} />}
      <div class="charts">
        {chosen.map((metric) => {
          const of = samples.get(metric) ?? emptySamples()
          return (
            <Panel key={metric} title={<code class="metric-name">{metric}</code>}
              aside={<button type="button" class="plain" aria-label={`Remove ${metric}`} onClick={() => choose(chosen.filter((one) => one !== metric))}>✕</button>}>
              {of.values.size === 0
                ? <Empty title={value ? 'There is no such metric at the moment' : 'Waiting for the first value'} />
                : <Chart label={metric} times={of.times} format={formatOf(metric)} series={[...of.values].map(([name, values]) => ({ name: isSummed ? name : `#${name}`, values }))} />}
            </Panel>
          )
        })}
      </div>
      <Panel title={<>Add a metric <span class="number">{all.length}</span></>} aside={<Filter value={filter} onValue={setFilter} label="Filter metrics" />}>
        {names.error && !names.value ? <Failure error={names.error} /> : !names.value ? <Loading /> : others.length === 0
          ? <Empty title={all.length === 0 ? 'This vertex has no metrics: it does not run' : 'Nothing matches the filter'} />
          : <div class="metric-names scroll" role="region" aria-label="Metrics" tabIndex={0}>{others.map((metric) => <button type="button" class="plain" key={metric} onClick={() => choose([...chosen, metric])}>+ {metric}</button>)}</div>}
      </Panel>
    </>
  )
}

interface Asked {
  at: number
  samples: Map<string, Map<string, number>>
}

/** The values of metrics: by subtask if these are few, else put together. */
async function ask(path: string, chosen: string[], parallelism: number, signal: AbortSignal): Promise<Asked> {
  const samples = new Map(chosen.map((metric) => [metric, new Map<string, number>()]))
  if (parallelism > LINES) {
    const query = chosen.map(encodeURIComponent).join(',')
    for (const { id, min, avg, max } of await get<AggregatedMetric[]>(`${path}/subtasks/metrics?get=${query}&agg=min,avg,max`, signal)) {
      for (const [kind, value] of Object.entries({ min, avg, max })) if (value !== undefined) samples.get(id)?.set(kind, value)
    }
  } else {
    const subtasks = Array.from({ length: parallelism }, (_, subtask) => subtask)
    const query = subtasks.flatMap((subtask) => chosen.map((metric) => encodeURIComponent(`${subtask}.${metric}`))).join(',')
    for (const { id, value } of await get<MetricValue[]>(`${path}/metrics?get=${query}`, signal)) {
      const [, subtask = '', metric = ''] = /^(\d+)\.(.*)$/.exec(id) ?? []
      const number = Number(value)
      if (Number.isFinite(number)) samples.get(metric)?.set(subtask, number)
    }
  }
  return { at: Date.now() / 1000, samples }
}
