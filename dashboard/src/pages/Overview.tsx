// The cluster at a glance: slots, and all jobs.

import { useState } from 'preact/hooks'
import { get } from '../api'
import { count, duration, shortId, time } from '../format'
import { href } from '../router'
import type { JobSummary, Overview } from '../types'
import { Badge, Empty, Failure, Filter, Loading, Meter, Panel, Scroll, Stat } from '../ui/parts'
import { usePoll } from '../usePoll'

const ENDED = new Set(['FINISHED', 'FAILED', 'CANCELED'])

export function OverviewPage() {
  const cluster = usePoll('overview', (signal) => get<Overview>('/overview', signal))
  const jobs = usePoll('jobs', (signal) => get<{ jobs: JobSummary[] }>('/jobs/overview', signal))
  const [filter, setFilter] = useState('')
  const wanted = (job: JobSummary) => `${job.name} ${job.jid} ${job.state}`.toLowerCase().includes(filter.toLowerCase())
  const all = jobs.value?.jobs ?? []
  const running = all.filter((job) => !ENDED.has(job.state)).sort((a, b) => b['start-time'] - a['start-time'])
  const ended = all.filter((job) => ENDED.has(job.state)).sort((a, b) => b['end-time'] - a['end-time'])
  const { value: of } = cluster
  const used = of ? of['slots-total'] - of['slots-available'] : 0
  return (
    <>
      <h1 class="sr">Overview</h1>
      {of && (
        <dl class="stats">
          <Stat label="Running jobs" value={of['jobs-running']} />
          <Stat label="Slots in use" value={<>{count(used)}<small> of {count(of['slots-total'])}</small></>}>
            <Meter used={used} total={of['slots-total']} label="Slots in use" />
          </Stat>
          <Stat label="TaskManagers" value={of.taskmanagers} />
          <Stat label="Finished" value={of['jobs-finished']} />
          <Stat label="Cancelled" value={of['jobs-cancelled']} />
          <Stat label="Failed" value={<span class={of['jobs-failed'] > 0 ? 'text-bad' : ''}>{of['jobs-failed']}</span>} />
        </dl>
      )}
      {jobs.error && !jobs.value && <Failure error={jobs.error} />}
      {!jobs.error && !jobs.value && <Loading />}
      {jobs.value && (
        <>
          <Panel flush title={<>Running jobs <span class="number">{running.length}</span></>}
            aside={all.length > 3 && <Filter value={filter} onValue={setFilter} label="Filter jobs" />}>
            {running.length === 0
              ? <Empty title="No job is running">Submit one with <code>flott sql --cluster {location.origin} -f script.sql</code>, or write it on the <a href={href('sql')}>SQL page</a>.</Empty>
              : <Jobs jobs={running.filter(wanted)} label="Running jobs" />}
          </Panel>
          <Panel flush title={<>Completed jobs <span class="number">{ended.length}</span></>}>
            {ended.length === 0
              ? <Empty title="No job has ended yet" />
              : <Jobs jobs={ended.filter(wanted)} label="Completed jobs" />}
          </Panel>
        </>
      )}
    </>
  )
}

function Jobs({ jobs, label }: { jobs: JobSummary[]; label: string }) {
  if (jobs.length === 0) return <Empty title="No job matches the filter" />
  return (
    <Scroll label={label}>
      <table class="jobs">
        <thead><tr><th>Name</th><th>State</th><th>Started</th><th class="right">Duration</th><th>Tasks</th><th>Id</th></tr></thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.jid}>
              <td class="wide"><a class="strong" href={href('jobs', job.jid)} title={job.name}>{job.name}</a></td>
              <td><Badge state={job.state} /></td>
              <td class="nowrap">{time(job['start-time'])}</td>
              <td class="right nowrap">{duration(job.duration)}</td>
              <td><TaskCounts tasks={job.tasks} /></td>
              <td><code title={job.jid}>{shortId(job.jid)}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

const STATES = ['running', 'finished', 'initializing', 'deploying', 'scheduled', 'created', 'canceling', 'canceled', 'failed']

/** How many tasks are in which state. */
export function TaskCounts({ tasks }: { tasks: Record<string, number> }) {
  const lower = Object.fromEntries(Object.entries(tasks).map(([state, number]) => [state.toLowerCase(), number]))
  const present = STATES.filter((state) => (lower[state] ?? 0) > 0)
  if (present.length === 0) return <span class="muted">–</span>
  return (
    <span class="counts">
      {present.map((state) => <span key={state} class={`count s-${state}`} title={state}>{lower[state]} <small>{state}</small></span>)}
    </span>
  )
}
