// The TaskManagers, and what runs on one of them.

import { get } from '../api'
import { bytes, count, duration, time } from '../format'
import { href } from '../router'
import type { Job, JobSummary, TaskManager, VertexTaskManagers } from '../types'
import { Badge, Empty, Failure, Loading, Meter, Panel, Scroll, Stat } from '../ui/parts'
import { usePoll } from '../usePoll'
import { TaskCounts } from './Overview'
import { Process } from './Process'

export function TaskManagersPage() {
  const { value, error } = usePoll('taskmanagers', (signal) => get<{ taskmanagers: TaskManager[] }>('/taskmanagers', signal))
  const all = value?.taskmanagers ?? []
  return (
    <>
      <h1>TaskManagers</h1>
      {error && !value && <Failure error={error} />}
      {!error && !value && <Loading />}
      {value && (
        <Panel flush>
          {all.length === 0
            ? <Empty title="No TaskManager is registered">Start one with <code>flott taskmanager -D jobmanager.rpc.address=HOST</code>.</Empty>
            : (
              <Scroll label="TaskManagers">
                <table>
                  <thead><tr><th>Id</th><th>Slots in use</th><th class="right">Free</th><th class="right">Total</th><th class="right">Cores</th><th>Last heartbeat</th></tr></thead>
                  <tbody>
                    {all.map((member) => (
                      <tr key={member.id}>
                        <td><a class="strong" href={href('taskmanagers', member.id)}>{member.id}</a></td>
                        <td class="meter-cell"><Meter used={member.slotsNumber - member.freeSlots} total={member.slotsNumber} label="Slots in use" /> {count(member.slotsNumber - member.freeSlots)}</td>
                        <td class="right">{count(member.freeSlots)}</td>
                        <td class="right">{count(member.slotsNumber)}</td>
                        <td class="right">{member.hardware.cpuCores}</td>
                        <td>{heartbeat(member.timeSinceLastHeartbeat)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
            )}
        </Panel>
      )}
    </>
  )
}

function heartbeat(at: number): string {
  return at > 0 ? time(at) : 'in this process'
}

interface TaskRow {
  job: JobSummary
  vertex: string
  vertexId: string
  of: VertexTaskManagers['taskmanagers'][number]
}

/** What runs on a TaskManager, asked of each running job. */
async function tasksOn(id: string, signal: AbortSignal): Promise<TaskRow[]> {
  const { jobs } = await get<{ jobs: JobSummary[] }>('/jobs/overview', signal)
  const running = jobs.filter((job) => job.state === 'RUNNING').slice(0, 20)
  const rows = await Promise.all(running.map(async (job) => {
    const detail = await get<Job>(`/jobs/${job.jid}`, signal)
    const of = await Promise.all(detail.vertices.map((vertex) =>
      get<VertexTaskManagers>(`/jobs/${job.jid}/vertices/${vertex.id}/taskmanagers`, signal)))
    return of.flatMap((vertex) => vertex.taskmanagers.filter((home) => home['taskmanager-id'] === id)
      .map((home) => ({ job, vertex: vertex.name, vertexId: vertex.id, of: home })))
  }))
  return rows.flat()
}

export function TaskManagerPage({ id }: { id: string }) {
  const { value, error } = usePoll(id, (signal) => get<TaskManager>(`/taskmanagers/${encodeURIComponent(id)}`, signal))
  const tasks = usePoll(`tasks ${id}`, (signal) => tasksOn(id, signal), 4_000)
  if (error && !value) return <Failure error={error} />
  if (!value) return <Loading />
  const used = value.slotsNumber - value.freeSlots
  const { physicalMemory } = value.hardware
  return (
    <>
      <p class="crumbs"><a href={href('taskmanagers')}>TaskManagers</a></p>
      <h1>{id}</h1>
      <dl class="stats">
        <Stat label="Slots in use" value={<>{count(used)}<small> of {count(value.slotsNumber)}</small></>}>
          <Meter used={used} total={value.slotsNumber} label="Slots in use" />
        </Stat>
        <Stat label="Cores" value={value.hardware.cpuCores} />
        {physicalMemory > 0 && <Stat label="Memory" value={bytes(physicalMemory)} />}
        <Stat label="Last heartbeat" value={heartbeat(value.timeSinceLastHeartbeat)} />
      </dl>
      <Panel flush title={<>Tasks <span class="number">{tasks.value?.length ?? ''}</span></>}>
        {tasks.error && !tasks.value ? <Failure error={tasks.error} /> : !tasks.value ? <Loading /> : tasks.value.length === 0
          ? <Empty title="No task runs here" />
          : (
            <Scroll label="Tasks on this TaskManager">
              <table>
                <thead><tr><th>Job</th><th>Vertex</th><th>State</th><th>Subtasks</th><th class="right">Records in</th><th class="right">Records out</th><th class="right">Duration</th></tr></thead>
                <tbody>
                  {tasks.value.map((row) => (
                    <tr key={row.job.jid + row.vertexId}>
                      <td class="wide"><a class="strong" href={href('jobs', row.job.jid)} title={row.job.name}>{row.job.name}</a></td>
                      <td class="wide"><a href={href('jobs', row.job.jid, 'graph', row.vertexId)} title={row.vertex}>{row.vertex}</a></td>
                      <td><Badge state={row.of.status} /></td>
                      <td><TaskCounts tasks={row.of['status-counts']} /></td>
                      <td class="right">{count(row.of.metrics['read-records'])}</td>
                      <td class="right">{count(row.of.metrics['write-records'])}</td>
                      <td class="right nowrap">{duration(row.of.duration)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
      </Panel>
      <Process path={`/taskmanagers/${encodeURIComponent(id)}`} />
    </>
  )
}
