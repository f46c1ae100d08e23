// When the job, its vertices and their subtasks were in which state.

import { useState } from 'preact/hooks'
import { get } from '../api'
import { duration, time } from '../format'
import type { Job, SubtaskTimes } from '../types'
import { Empty, Failure, Loading, Panel, Scroll } from '../ui/parts'
import { usePoll } from '../usePoll'
import { shortName } from './load'
import { extent, segments, type Segment, ticks } from './timeline'

/** From the beginning of a life to its end. */
const ORDER = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'RESTARTING', 'FAILING', 'CANCELLING', 'CANCELING']

interface Row {
  id: string
  name: string
  title: string
  segments: Segment[]
  depth: number
  more?: number
}

export function TimelinePage({ job }: { job: Job }) {
  const [open, setOpen] = useState<string[]>([])
  const { value, error } = usePoll(`times ${job.jid}`, (signal) =>
    Promise.all(job.vertices.map((vertex) => get<SubtaskTimes>(`/jobs/${job.jid}/vertices/${vertex.id}/subtasktimes`, signal))), 4_000)
  if (!value) return error ? <Failure error={error} /> : <Loading />
  const end = job['end-time'] > 0 ? job['end-time'] : job.now
  const descriptions = new Map(job.plan.nodes.map((node) => [node.id, node.description]))
  const rows: Row[] = [{ id: 'job', name: 'Job', title: job.name, segments: segments(job.timestamps, end), depth: 0 }]
  for (const vertex of value) {
    const tasks = vertex.subtasks.map((task) => segments(task.timestamps, end))
    const { head } = shortName(vertex, descriptions.get(vertex.id) ?? '')
    rows.push({ id: vertex.id, name: head, title: vertex.name, segments: together(tasks), depth: 0, more: tasks.length })
    if (open.includes(vertex.id)) {
      tasks.slice(0, 100).forEach((segments, index) => rows.push({ id: `${vertex.id}/${index}`, name: `Subtask ${index}`, title: `Subtask ${index}`, segments, depth: 1 }))
    }
  }
  const range = extent(rows.map((row) => row.segments))
  if (!range) return <Empty title="Nothing has been deployed yet" />
  const length = range.to - range.from
  const left = (at: number) => `${((at - range.from) / length) * 100}%`
  const present = new Set(rows.flatMap((row) => row.segments.map((segment) => segment.state)))
  const states = [...ORDER.filter((state) => present.has(state)), ...[...present].filter((state) => !ORDER.includes(state))]
  return (
    <Panel flush title="Timeline" aside={<ul class="legend">{states.map((state) => <li key={state}><span class={`swatch t-${state.toLowerCase()}`} />{state.toLowerCase()}</li>)}</ul>}>
      <Scroll label="Timeline" class="timeline">
        <div class="timeline-body">
          <div class="t-row axis">
            <span class="t-name">{time(range.from)}</span>
            <span class="t-bar">{ticks(length, 6).map((at) => <i key={at} style={{ left: `${(at / length) * 100}%` }}>{at === 0 ? '0' : duration(at)}</i>)}</span>
          </div>
          {rows.map((row) => (
            <div class={`t-row depth-${row.depth}`} key={row.id}>
              <span class="t-name" title={row.title}>
                {row.more === undefined ? row.name : (
                  <button type="button" class="plain" aria-expanded={open.includes(row.id)}
                    onClick={() => setOpen(open.includes(row.id) ? open.filter((id) => id !== row.id) : [...open, row.id])}>
                    <span aria-hidden="true">{open.includes(row.id) ? '▾' : '▸'}</span> {row.name}
                  </button>
                )}
              </span>
              <span class="t-bar">
                {row.segments.map((segment) => {
                  const told = `${segment.state.toLowerCase()}: ${time(segment.from)}, ${duration(segment.to - segment.from)}`
                  return (
                    <span key={segment.state} class={`t-segment t-${segment.state.toLowerCase()}`} role="img" aria-label={`${row.name} ${told}`} title={told}
                      style={{ left: left(segment.from), width: `${((segment.to - segment.from) / length) * 100}%` }} />
                  )
                })}
              </span>
            </div>
          ))}
        </div>
      </Scroll>
    </Panel>
  )
}

/** The segments of a vertex: each state from the first subtask that was in it to the last. */
function together(tasks: Segment[][]): Segment[] {
  const all = new Map<string, Segment>()
  for (const segment of tasks.flat()) {
    const known = all.get(segment.state)
    if (known === undefined) all.set(segment.state, { ...segment })
    else {
      known.from = Math.min(known.from, segment.from)
      known.to = Math.max(known.to, segment.to)
    }
  }
  return [...all.values()].sort((a, b) => a.from - b.from)
}
