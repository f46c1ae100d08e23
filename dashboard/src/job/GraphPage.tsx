// The job as a graph that lives: each vertex with its load, each edge with what goes through it.

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { get } from '../api'
import { bytes, operators, percent, rate, watermark } from '../format'
import { parts } from '../sql/plan'
import { go, href } from '../router'
import type { AggregatedMetric, Job, PlanNode, VertexSummary } from '../types'
import { Empty, LoadBar } from '../ui/parts'
import { usePoll } from '../usePoll'
import { layout, layoutKey, path } from './graph'
import { type Load, loadOf, metricsOf, mood, shortName } from './load'
import { VertexDetail } from './VertexDetail'

const NODE = { width: 236, height: 138 }

/** The load of each vertex. */
async function loads(job: Job, signal: AbortSignal): Promise<Map<string, Load>> {
  const nodes = new Map(job.plan.nodes.map((node) => [node.id, node]))
  const entries = await Promise.all(job.vertices.map(async (vertex): Promise<[string, Load]> => {
    const node = nodes.get(vertex.id)
    const names = metricsOf(node?.description ?? '', (node?.inputs ?? []).length === 0)
    const query = names.map(encodeURIComponent).join(',')
    const metrics = await get<AggregatedMetric[]>(`/jobs/${job.jid}/vertices/${vertex.id}/subtasks/metrics?get=${query}`, signal)
    return [vertex.id, loadOf(metrics)]
  }))
  return new Map(entries)
}

export function GraphPage({ job, chosen }: { job: Job; chosen?: string }) {
  const { value: load } = usePoll(`load ${job.jid}`, (signal) => loads(job, signal))
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  const [scale, setScale] = useState<number>()
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    setWidth(element.clientWidth)
    return () => observer.disconnect()
  }, [])
  const direction = width > 0 && width < 640 ? 'TB' : 'LR'
  const nodes = job.plan.nodes
  const drawn = useMemo(() => layout(nodes, NODE, direction), [layoutKey(nodes), direction])
  const vertices = new Map(job.vertices.map((vertex) => [vertex.id, vertex]))
  const fitting = Math.min(1, Math.max(width / (drawn.width || 1), direction === 'TB' ? 0.8 : 0.55))
  const shown = scale ?? fitting
  const vertex = chosen === undefined ? undefined : vertices.get(chosen)
  const zoom = (factor: number) => setScale(Math.min(Math.max(shown * factor, 0.25), 2))
  const most = Math.max(1, ...[...(load?.values() ?? [])].map((one) => one.recordsOut ?? 0))
  return (
    <>
      <div class="graph-frame">
        <div class="graph-bar">
          <ul class="legend" aria-label="Colours">
            <li><span class="swatch busy" />busy</li><li><span class="swatch pressed" />back-pressured</li><li><span class="swatch idle" />idle</li>
          </ul>
          <div class="zoom" role="group" aria-label="Zoom">
            <button type="button" class="plain" onClick={() => zoom(1 / 1.2)} aria-label="Smaller">−</button>
            <button type="button" class="plain" onClick={() => setScale(undefined)} title="Fit" aria-label={`Fit; now ${Math.round(shown * 100)} %`}>{Math.round(shown * 100)} %</button>
            <button type="button" class="plain" onClick={() => zoom(1.2)} aria-label="Larger">+</button>
          </div>
        </div>
        <div class="graph scroll" ref={place} role="region" aria-label="Graph of the job" tabIndex={0}>
          {nodes.length === 0 ? <Empty title="This job has no vertices" /> : (
            <div class="graph-size" style={{ width: `${drawn.width * shown}px`, height: `${drawn.height * shown}px` }}>
              <div class="graph-canvas" style={{ width: `${drawn.width}px`, height: `${drawn.height}px`, transform: `scale(${shown})` }}>
                <svg width={drawn.width} height={drawn.height} aria-hidden="true">
                  <defs>
                    <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
                      <path d="M0,0L8,4L0,8z" class="arrow" />
                    </marker>
                  </defs>
                  {drawn.edges.map((edge) => {
                    const flow = load?.get(edge.from)?.recordsOut ?? 0
                    const weight = flow > 0 ? 1.2 + (2.3 * Math.log10(1 + flow)) / Math.log10(1 + most) : 1.2
                    return <path key={edge.key} d={path(edge.points)} class={flow > 0 ? 'edge flows' : 'edge'} stroke-width={weight} marker-end="url(#arrow)" />
                  })}
                  {drawn.edges.map((edge) => (
                    <text key={edge.key} x={edge.middle.x} y={edge.middle.y - 7} class="strategy">{edge.strategy.toLowerCase()}</text>
                  ))}
                </svg>
                {nodes.map((node) => {
                  const of = vertices.get(node.id)
                  const at = drawn.places.get(node.id)
                  return of && at && (
                    <Node key={node.id} node={node} vertex={of} load={load?.get(node.id)} at={at} job={job.jid} isChosen={node.id === chosen} />
                  )
                })}
              </div>
            </div>
          )}
        </div>
      </div>
      {chosen !== undefined && (vertex
        ? <VertexDetail key={chosen} job={job} vertex={vertex} load={load?.get(chosen)} node={nodes.find((node) => node.id === chosen)}
            onClose={() => go('jobs', job.jid, 'graph')} />
        : <Empty title="This job has no such vertex" />)}
      {chosen === undefined && nodes.length > 0 && <Vertices job={job} load={load} />}
    </>
  )
}

function Node({ node, vertex, load, at, job, isChosen }: {
  node: PlanNode
  vertex: VertexSummary
  load?: Load
  at: { x: number; y: number }
  job: string
  isChosen: boolean
}) {
  const [first, ...others] = operators(node.description).map(({ name }) => parts(name))
  const head = first?.name ?? vertex.name
  const isSource = (node.inputs ?? []).length === 0
  const runs = vertex.status === 'RUNNING'
  return (
    <a class={`node ${mood(load, vertex.status)} v-${vertex.status.toLowerCase()}${isChosen ? ' chosen' : ''}`} href={href('jobs', job, 'graph', node.id)}
      style={{ left: `${at.x}px`, top: `${at.y}px`, width: `${NODE.width}px`, height: `${NODE.height}px` }} title={vertex.name}
      aria-label={`${head}, parallelism ${vertex.parallelism}, ${vertex.status.toLowerCase()}${load?.busy === undefined ? '' : `, busy ${percent(load.busy)}`}`}>
      <span class="node-head"><span class="node-name">{head}</span><span class="node-times" title="Parallelism">×{vertex.parallelism}</span></span>
      <span class="node-rest">{first && short(first.rest)}</span>
      <span class="node-chain">{others.map(({ name }) => `→ ${name}`).join(' ')}</span>
      {runs
        ? <LoadBar busy={load?.busy} backPressured={load?.backPressured} idle={load?.idle} />
        : <span class="node-state">{vertex.status.toLowerCase()}</span>}
      <span class="node-figures">
        {!isSource && <span><i>in</i> {runs ? `${rate(load?.recordsIn)}/s` : rate(vertex.metrics['read-records'])}{flow(load?.bytesIn)}</span>}
        <span><i>out</i> {runs ? `${rate(load?.recordsOut)}/s` : rate(vertex.metrics['write-records'])}{flow(load?.bytesOut)}</span>
        <span><i>time</i> {watermark(load?.watermark)}</span>
      </span>
    </a>
  )
}

/** Without the names that most tables have before their own. */
function short(text: string): string {
  return text.replaceAll('default_catalog, default_database, ', '').replaceAll('default_catalog.default_database.', '')
}

function flow(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : ` · ${bytes(value)}/s`
}

/** The same as a table, for those who do not see the graph, and for comparing. */
function Vertices({ job, load }: { job: Job; load?: Map<string, Load> }) {
  const descriptions = new Map(job.plan.nodes.map((node) => [node.id, node.description]))
  return (
    <section class="panel flush">
      <header class="panel-head"><h2>Vertices <span class="number">{job.vertices.length}</span></h2></header>
      <div class="scroll" role="region" aria-label="Vertices" tabIndex={0}>
        <table>
          <thead><tr><th>Name</th><th>State</th><th class="right">Parallelism</th><th>Load</th><th class="right">Busiest</th><th class="right">Skew</th>
            <th class="right">Records in</th><th class="right">Records out</th><th>Event time</th></tr></thead>
          <tbody>
            {job.vertices.map((vertex) => {
              const of = load?.get(vertex.id)
              const { head, more } = shortName(vertex, descriptions.get(vertex.id) ?? '')
              return (
                <tr key={vertex.id}>
                  <td class="wide"><a class="strong" href={href('jobs', job.jid, 'graph', vertex.id)} title={vertex.name}>{head}</a>{more > 0 && <small class="muted"> + {more}</small>}</td>
                  <td><span class={`badge ${vertex.status === 'RUNNING' ? 'good' : vertex.status === 'FAILED' ? 'bad' : 'quiet'}`}>{vertex.status.toLowerCase()}</span></td>
                  <td class="right">{vertex.parallelism}</td>
                  <td class="load-cell"><LoadBar busy={of?.busy} backPressured={of?.backPressured} idle={of?.idle} /></td>
                  <td class="right">{percent(of?.busiest)}</td>
                  <td class={`right ${(of?.skew ?? 0) > 0.5 ? 'text-warn' : ''}`}>{vertex.parallelism > 1 ? percent(of?.skew) : '–'}</td>
                  <td class="right nowrap">{rate(of?.recordsIn)}/s</td>
                  <td class="right nowrap">{rate(of?.recordsOut)}/s</td>
                  <td class="nowrap">{watermark(of?.watermark)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}
