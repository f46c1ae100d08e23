// Checkpoints: what there was, how long it took, how large it was, and where the time went.

import { useState } from 'preact/hooks'
import { get } from '../api'
import { bytes, count, duration, number, time } from '../format'
import { go, href } from '../router'
import type { Checkpoint, Checkpoints, CheckpointSubtasks, Job, Spread } from '../types'
import { Chart } from '../ui/Chart'
import { Badge, Copy, Empty, Failure, Loading, Panel, Scroll, Stat } from '../ui/parts'
import { usePoll } from '../usePoll'
import { shortName } from './load'

export function CheckpointsPage({ job, chosen }: { job: Job; chosen?: string }) {
  const { value, error } = usePoll(`checkpoints ${job.jid}`, (signal) => get<Checkpoints>(`/jobs/${job.jid}/checkpoints`, signal))
  if (!value) return error ? <Failure error={error} /> : <Loading />
  const { counts, latest, history } = value
  const done = [...history].filter((one) => one.status === 'COMPLETED').sort((a, b) => a.id - b.id)
  return (
    <>
      <dl class="stats">
        <Stat label="Completed" value={count(counts.completed)} />
        <Stat label="In progress" value={counts.in_progress} />
        <Stat label="Failed" value={<span class={counts.failed > 0 ? 'text-bad' : ''}>{count(counts.failed)}</span>} />
        <Stat label="Restored" value={counts.restored} />
        <Stat label="Last duration" value={duration(latest.completed?.end_to_end_duration)} />
        <Stat label="Last size" value={bytes(latest.completed?.checkpointed_size)} />
      </dl>
      {chosen !== undefined && <CheckpointDetail key={chosen} job={job} id={chosen} />}
      {done.length > 1 && chosen === undefined && (
        <div class="charts">
          <Panel title="Duration"><Chart bars label="Duration of checkpoints" times={done.map((one) => one.id)} format={(value) => duration(value)}
            series={[{ name: 'Duration', values: done.map((one) => one.end_to_end_duration) }]} height={150} /></Panel>
          <Panel title="Size"><Chart bars label="Size of checkpoints" times={done.map((one) => one.id)} format={(value) => bytes(value)}
            series={[{ name: 'Size', values: done.map((one) => one.checkpointed_size) }]} height={150} /></Panel>
        </div>
      )}
      <Panel flush title={<>History <span class="number">{history.length}</span></>}>
        {history.length === 0
          ? <Empty title="No checkpoint yet">They are taken if <code>execution.checkpointing.interval</code> is set; the button above takes one now.</Empty>
          : <History job={job} history={history} chosen={chosen} />}
      </Panel>
      {done.length > 0 && <Summary summary={value.summary} />}
      {(latest.restored || latest.savepoint) && (
        <Panel title="Where the job came from, and savepoints">
          <dl class="facts-list">
            {latest.restored && <div><dt>Restored from</dt><dd>{latest.restored.is_savepoint ? 'savepoint' : 'checkpoint'} {latest.restored.id} at {time(latest.restored.restore_timestamp)} {latest.restored.external_path && <code>{latest.restored.external_path}</code>}</dd></div>}
            {latest.savepoint && <div><dt>Last savepoint</dt><dd>{latest.savepoint.id}: <code>{latest.savepoint.external_path}</code></dd></div>}
          </dl>
        </Panel>
      )}
    </>
  )
}

function History({ job, history, chosen }: { job: Job; history: Checkpoint[]; chosen?: string }) {
  return (
    <Scroll label="Checkpoints">
      <table>
        <thead><tr><th class="right">Id</th><th>State</th><th>Kind</th><th>Acknowledged</th><th>Triggered</th><th class="right">Duration</th><th class="right">Size</th><th>Place</th></tr></thead>
        <tbody>
          {history.map((one) => (
            <tr key={one.id} class={String(one.id) === chosen ? 'chosen' : undefined}>
              <td class="right"><a class="strong" href={href('jobs', job.jid, 'checkpoints', one.id)}>{one.id}</a></td>
              <td><Badge state={one.status} /></td>
              <td class="nowrap">{one.is_savepoint ? 'savepoint' : 'checkpoint'}</td>
              <td class="nowrap">{one.num_acknowledged_subtasks} of {one.num_subtasks}</td>
              <td class="nowrap">{time(one.trigger_timestamp)}</td>
              <td class="right nowrap">{duration(one.end_to_end_duration)}</td>
              <td class="right nowrap">{bytes(one.checkpointed_size)}</td>
              <td class="wide">{one.failure_message ?? (one.external_path?.startsWith('<') ? <span class="muted">in memory</span> : one.external_path && <code title={one.external_path}>{one.external_path}</code>)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

const SUMMARY: [string, string, (value: number | undefined) => string][] = [
  ['end_to_end_duration', 'Duration', duration],
  ['checkpointed_size', 'Size', bytes],
  ['processed_data', 'Processed while aligning', bytes],
  ['persisted_data', 'Persisted while aligning', bytes],
]

function Summary({ summary }: { summary: Record<string, Spread> }) {
  const kinds = ['min', 'avg', 'max', 'p50', 'p90', 'p95', 'p99', 'p999'] as const
  return (
    <Panel flush title="Summary">
      <Scroll label="Summary">
        <table>
          <thead><tr><th>Of completed ones</th>{kinds.map((kind) => <th class="right" key={kind}>{kind}</th>)}</tr></thead>
          <tbody>
            {SUMMARY.flatMap(([key, name, format]) => {
              const spread = summary[key]
              return spread === undefined ? [] : [(
                <tr key={key}><th scope="row">{name}</th>{kinds.map((kind) => <td class="right nowrap" key={kind}>{format(number(spread[kind]))}</td>)}</tr>
              )]
            })}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  )
}

/** Only the last ones are remembered: one that has ended is kept here for as long as it is looked at. */
const hasEnded = (checkpoint: { status: string }) => checkpoint.status !== 'IN_PROGRESS'

function CheckpointDetail({ job, id }: { job: Job; id: string }) {
  const { value, error } = usePoll(`checkpoint ${job.jid} ${id}`, (signal) => get<Checkpoint>(`/jobs/${job.jid}/checkpoints/details/${encodeURIComponent(id)}`, signal), 4_000, hasEnded)
  const [open, setOpen] = useState<string>()
  const close = () => go('jobs', job.jid, 'checkpoints')
  const descriptions = new Map(job.plan.nodes.map((node) => [node.id, node.description]))
  return (
    <Panel title={<>{value?.is_savepoint ? 'Savepoint' : 'Checkpoint'} {id} {value && <Badge state={value.status} />}</>}
      aside={<button type="button" class="plain" aria-label="Close checkpoint" onClick={close}>✕</button>}>
      {error && !value && <p class="muted" role="alert">{error.status === 404 ? 'It is not remembered any more: only the last ones are.' : error.message}</p>}
      {!error && !value && <Loading />}
      {value && (
        <>
          <dl class="facts-list">
            <div><dt>Triggered</dt><dd>{time(value.trigger_timestamp)}</dd></div>
            <div><dt>Last acknowledgement</dt><dd>{time(value.latest_ack_timestamp)}</dd></div>
            <div><dt>Duration</dt><dd>{duration(value.end_to_end_duration)}</dd></div>
            <div><dt>Size</dt><dd>{bytes(value.checkpointed_size)}</dd></div>
            {value.external_path && !value.external_path.startsWith('<') && <div class="whole"><dt>Place</dt><dd><code>{value.external_path}</code><Copy text={value.external_path} /></dd></div>}
            {value.failure_message && <div class="whole"><dt>Failure</dt><dd>{value.failure_message}</dd></div>}
          </dl>
          <Scroll label="Vertices of the checkpoint">
            <table>
              <thead><tr><th>Vertex</th><th>Acknowledged</th><th class="right">Duration</th><th class="right">Size</th></tr></thead>
              <tbody>
                {job.vertices.map((vertex) => {
                  const of = value.tasks[vertex.id]
                  const { head } = shortName(vertex, descriptions.get(vertex.id) ?? '')
                  return of && (
                    <tr key={vertex.id}>
                      <td class="wide"><button type="button" class="plain link" title={vertex.name} aria-expanded={open === vertex.id} onClick={() => setOpen(open === vertex.id ? undefined : vertex.id)}>
                        <span aria-hidden="true">{open === vertex.id ? '▾' : '▸'}</span> {head}</button></td>
                      <td class="nowrap">{of.num_acknowledged_subtasks} of {of.num_subtasks}</td>
                      <td class="right nowrap">{duration(of.end_to_end_duration)}</td>
                      <td class="right nowrap">{bytes(of.state_size)}</td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </Scroll>
          {open !== undefined && <Subtasks job={job} id={id} vertex={open} />}
        </>
      )}
    </Panel>
  )
}

function Subtasks({ job, id, vertex }: { job: Job; id: string; vertex: string }) {
  const { value, error } = usePoll(`${job.jid} ${id} ${vertex}`, (signal) =>
    get<CheckpointSubtasks>(`/jobs/${job.jid}/checkpoints/details/${encodeURIComponent(id)}/subtasks/${vertex}`, signal), 4_000, hasEnded)
  if (!value) return error ? <Failure error={error} /> : <Loading />
  return (
    <>
      <h3>Subtasks</h3>
      <Scroll label="Subtasks of the checkpoint">
        <table>
          <thead><tr><th class="right">#</th><th>Acknowledged</th><th class="right">Duration</th><th class="right">Start delay</th><th class="right">Alignment</th><th class="right">Synchronous</th><th class="right">Asynchronous</th><th class="right">Size</th></tr></thead>
          <tbody>
            {value.subtasks.map((task) => (
              <tr key={task.index}>
                <td class="right">{task.index}</td>
                <td class="nowrap">{task.status === 'completed' ? time(task.ack_timestamp) : <span class="muted">not yet</span>}</td>
                <td class="right nowrap">{duration(task.end_to_end_duration)}</td>
                <td class="right nowrap">{duration(task.start_delay)}</td>
                <td class="right nowrap">{duration(task.alignment?.duration)}</td>
                <td class="right nowrap">{duration(task.checkpoint?.sync)}</td>
                <td class="right nowrap">{duration(task.checkpoint?.async)}</td>
                <td class="right nowrap">{bytes(task.state_size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  )
}
