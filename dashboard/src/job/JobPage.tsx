// A job: its head, what can be done with it, and its pages.

import { useEffect } from 'preact/hooks'
import { get } from '../api'
import { duration, time } from '../format'
import { href } from '../router'
import type { Job } from '../types'
import { Badge, Copy, Empty, Failure, Loading, Tabs } from '../ui/parts'
import { usePoll } from '../usePoll'
import { Actions } from './Actions'
import { CheckpointsPage } from './Checkpoints'
import { ConfigurationPage } from './Configuration'
import { ExceptionsPage } from './Exceptions'
import { GraphPage } from './GraphPage'
import { MetricsPage } from './Metrics'
import { TimelinePage } from './Timeline'

const TABS = ['graph', 'timeline', 'exceptions', 'checkpoints', 'metrics', 'configuration']

export function JobPage({ id, rest }: { id: string; rest: string[] }) {
  const { value: job, error, refresh } = usePoll(id, (signal) => get<Job>(`/jobs/${id}`, signal))
  useEffect(() => {
    document.title = `${job?.name ?? 'Job'} · Flott`
  }, [job?.name])
  if (!job) return error ? <Failure error={error} /> : <Loading />
  const [tab = 'graph', ...more] = rest
  return (
    <>
      <p class="crumbs"><a href={href('overview')}>Jobs</a></p>
      <header class="job-head">
        <div class="job-title">
          <h1 title={job.name}>{job.name}</h1>
          <Badge state={job.state} />
        </div>
        <Actions job={job} onChanged={refresh} />
        <p class="facts">
          <span><code>{job.jid}</code><Copy text={job.jid} /></span>
          <span>{(job['job-type'] ?? job.plan.type).toLowerCase()}</span>
          <span>started {time(job['start-time'])}</span>
          {job['end-time'] > 0 && <span>ended {time(job['end-time'])}</span>}
          <span>{duration(job.duration)}</span>
        </p>
      </header>
      <Tabs label="Pages of this job" current={tab}
        tabs={TABS.map((name) => ({ id: name, name: name.charAt(0).toUpperCase() + name.slice(1), href: href('jobs', id, name) }))} />
      <Tab job={job} tab={tab} more={more} />
    </>
  )
}

function Tab({ job, tab, more }: { job: Job; tab: string; more: string[] }) {
  switch (tab) {
    case 'graph':
      return <GraphPage job={job} chosen={more[0]} />
    case 'timeline':
      return <TimelinePage job={job} />
    case 'exceptions':
      return <ExceptionsPage job={job} />
    case 'checkpoints':
      return <CheckpointsPage job={job} chosen={more[0]} />
    case 'metrics':
      return <MetricsPage job={job} />
    case 'configuration':
      return <ConfigurationPage job={job} />
    default:
      return <Empty title="There is no such page" />
  }
}
