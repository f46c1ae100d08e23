// One vertex: its operators, and its subtasks side by side.

import { get } from '../api'
import { count, duration, isMoment, operators, percent, rate, time, watermark } from '../format'
import { href } from '../router'
import type { Accumulators, BackPressure, Job, MetricValue, PlanNode, Vertex, VertexSummary } from '../types'
import { Badge, Failure, LoadBar, Loading, Scroll } from '../ui/parts'
import { usePoll } from '../usePoll'
import { type Load, pressure } from './load'

/** So many subtasks are shown; more are summed up. */
const SHOWN = 200

interface Detail {
  vertex: Vertex
  pressure: BackPressure
  metrics: Map<string, string>
  splits: { subtask: string; split: string; watermark: number }[]
  accumulators: Accumulators
}

async function ask(job: string, id: string, signal: AbortSignal): Promise<Detail> {
  const path = `/jobs/${job}/vertices/${id}`
  const [vertex, pressure, accumulators, names] = await Promise.all([
    get<Vertex>(path, signal),
    get<BackPressure>(`${path}/backpressure`, signal),
    get<Accumulators>(`${path}/accumulators`, signal),
    get<MetricValue[]>(`${path}/metrics`, signal),
  ])
  const wanted = names.map((metric) => metric.id).filter((name) =>
    /^\d+\.(numRecordsInPerSecond|numRecordsOutPerSecond|currentInputWatermark)$/.test(name) || name.endsWith('.currentOutputWatermark')
    || name.endsWith('.watermark.currentWatermark') || name.endsWith('.numLateRecordsDropped'))
  const values = await inParts(wanted, (part) => get<MetricValue[]>(`${path}/metrics?get=${part.map(encodeURIComponent).join(',')}`, signal))
  const metrics = new Map(values.map((metric) => [metric.id, metric.value ?? '']))
  const splits = [...metrics].flatMap(([name, value]) => {
    const found = /^(\d+)\.split\.(.*)\.watermark\.currentWatermark$/.exec(name)
    return found ? [{ subtask: found[1] ?? '', split: found[2] ?? '', watermark: Number(value) }] : []
  })
  return { vertex, pressure, metrics, accumulators, splits: splits.sort((a, b) => a.watermark - b.watermark) }
}

/** An address has an end: many names are asked for in several requests. */
async function inParts<T>(all: string[], ask: (part: string[]) => Promise<T[]>): Promise<T[]> {
  const parts: string[][] = []
  for (let at = 0; at < all.length; at += 60) parts.push(all.slice(at, at + 60))
  return (await Promise.all(parts.map(ask))).flat()
}

export function VertexDetail({ job, vertex, load, node, onClose }: {
  job: Job
  vertex: VertexSummary
  load?: Load
  node?: PlanNode
  onClose: () => void
}) {
  const { value, error } = usePoll(`${job.jid} ${vertex.id}`, (signal) => ask(job.jid, vertex.id, signal))
  const of = (subtask: number, name: string) => value?.metrics.get(`${subtask}.${name}`)
  const numberOf = (subtask: number, name: string) => {
    const text = of(subtask, name)
    return text === undefined ? undefined : Number(text)
  }
  const isSource = (node?.inputs ?? []).length === 0
  const timeOf = (subtask: number) => {
    if (!isSource) return numberOf(subtask, 'currentInputWatermark')
    const left = [...(value?.metrics ?? [])].filter(([name, text]) =>
      name.startsWith(`${subtask}.`) && name.endsWith('.currentOutputWatermark') && isMoment(Number(text))).at(-1)
    return left === undefined ? undefined : Number(left[1])
  }
  const late = [...(value?.metrics ?? [])].filter(([name]) => name.endsWith('.numLateRecordsDropped')).reduce((sum, [, text]) => sum + Number(text), 0)
  const chain = operators(node?.description ?? '')
  const most = Math.max(1, ...(value?.vertex.subtasks.map((task) => task.metrics[isSource ? 'write-records' : 'read-records']) ?? []))
  const held = value?.splits.filter((split) => isMoment(split.watermark)) ?? []
  return (
    <section class="panel vertex" aria-label={`Vertex ${vertex.name}`}>
      <header class="panel-head">
        <h2>{chain[0]?.name ?? vertex.name}</h2>
        <Badge state={vertex.status} />
        <span class="grow" />
        <a class="button" href={`${href('jobs', job.jid, 'metrics')}?vertex=${vertex.id}`}>Metrics</a>
        <button type="button" class="plain" aria-label="Close vertex" onClick={onClose}>✕</button>
      </header>
      <dl class="facts-list">
        <div><dt>Parallelism</dt><dd>{vertex.parallelism} <small class="muted">of at most {vertex.maxParallelism}</small></dd></div>
        <div><dt>Busy</dt><dd>{percent(load?.busy)} <small class="muted">busiest {percent(load?.busiest)}</small></dd></div>
        <div><dt>Back pressure</dt><dd>{load?.backPressured === undefined ? '–' : <><Badge state={pressure(load.backPressured)} /> {percent(load.backPressured)}</>}</dd></div>
        <div><dt>Skew</dt><dd>{vertex.parallelism > 1 ? percent(load?.skew) : '–'}</dd></div>
        <div><dt>Event time</dt><dd>{watermark(load?.watermark)}</dd></div>
        <div><dt>Late rows dropped</dt><dd>{value ? count(late) : '–'}</dd></div>
      </dl>
      {chain.length > 0 && (
        <details open={chain.length > 1 && chain.length < 6}>
          <summary>Operators <span class="number">{chain.length}</span></summary>
          <ol class="chain">{chain.map((operator, index) => <li key={index} style={{ paddingLeft: `${operator.depth * 16}px` }}><code>{operator.name}</code></li>)}</ol>
        </details>
      )}
      {error && !value && <Failure error={error} />}
      {!error && !value && <Loading />}
      {value && (
        <Scroll label="Subtasks">
          <table>
            <thead><tr><th class="right">#</th><th>State</th><th>Load</th><th>Share</th><th class="right">Records in</th><th class="right">in /s</th><th class="right">Records out</th><th class="right">out /s</th><th>Event time</th><th>TaskManager</th><th class="right">Started</th><th class="right">Duration</th></tr></thead>
            <tbody>
              {value.vertex.subtasks.slice(0, SHOWN).map((task) => {
                const spent = value.pressure.subtasks.find((one) => one.subtask === task.subtask)
                const records = task.metrics[isSource ? 'write-records' : 'read-records']
                return (
                  <tr key={task.subtask}>
                    <td class="right">{task.subtask}</td>
                    <td><Badge state={task.status} /></td>
                    <td class="load-cell">{task.status === 'RUNNING' ? <LoadBar busy={spent?.busyRatio} backPressured={spent?.ratio} idle={spent?.idleRatio} /> : <span class="muted">–</span>}</td>
                    <td class="share-cell"><span class="share" title={`${count(records)} records`}><span style={{ width: `${(records / most) * 100}%` }} /></span></td>
                    <td class="right">{count(task.metrics['read-records'])}</td>
                    <td class="right">{rate(numberOf(task.subtask, 'numRecordsInPerSecond'))}</td>
                    <td class="right">{count(task.metrics['write-records'])}</td>
                    <td class="right">{rate(numberOf(task.subtask, 'numRecordsOutPerSecond'))}</td>
                    <td class="nowrap">{watermark(timeOf(task.subtask))}</td>
                    <td class="nowrap"><a href={href('taskmanagers', task['taskmanager-id'])}>{task['taskmanager-id']}</a></td>
                    <td class="right nowrap">{time(task['start-time'])}</td>
                    <td class="right nowrap">{duration(task.duration)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Scroll>
      )}
      {value && value.vertex.subtasks.length > SHOWN && <p class="note">The first {SHOWN} of {value.vertex.subtasks.length} subtasks.</p>}
      {value && value.splits.length > 0 && (
        <>
          <h3>Splits <small class="muted">the first one holds event time back</small></h3>
          <Scroll label="Splits">
            <table>
              <thead><tr><th>Split</th><th class="right">Subtask</th><th>Watermark</th><th class="right">Behind the last</th></tr></thead>
              <tbody>
                {value.splits.slice(0, 50).map((split) => (
                  <tr key={`${split.subtask} ${split.split}`}>
                    <td class="wide"><code title={split.split}>{split.split}</code></td>
                    <td class="right">{split.subtask}</td>
                    <td class="nowrap">{watermark(split.watermark)}</td>
                    <td class="right nowrap">{isMoment(split.watermark) ? duration((held.at(-1)?.watermark ?? split.watermark) - split.watermark) : '–'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
      {value && value.accumulators['user-accumulators'].length > 0 && (
        <>
          <h3>Accumulators</h3>
          <Scroll label="Accumulators">
            <table>
              <thead><tr><th>Name</th><th>Kind</th><th>Value</th></tr></thead>
              <tbody>{value.accumulators['user-accumulators'].map((one, index) => <tr key={index}><td>{one.name}</td><td>{one.type}</td><td><code>{one.value}</code></td></tr>)}</tbody>
            </table>
          </Scroll>
        </>
      )}
    </section>
  )
}
