// How the job was submitted, and how it takes checkpoints.

import { get } from '../api'
import type { ConfigEntry, Job } from '../types'
import { KeyValues } from '../ui/KeyValues'
import { Failure, Loading } from '../ui/parts'
import { usePoll } from '../usePoll'

interface JobConfig {
  'execution-config': Record<string, unknown> & { 'user-config': Record<string, string> }
}

interface All {
  job: JobConfig
  checkpoints: Record<string, unknown>
  cluster: ConfigEntry[]
}

export function ConfigurationPage({ job }: { job: Job }) {
  const { value, error } = usePoll(`config ${job.jid}`, async (signal): Promise<All> => {
    const [of, checkpoints, cluster] = await Promise.all([
      get<JobConfig>(`/jobs/${job.jid}/config`, signal),
      get<Record<string, unknown>>(`/jobs/${job.jid}/checkpoints/config`, signal),
      get<ConfigEntry[]>(`/jobs/${job.jid}/jobmanager/config`, signal),
    ])
    return { job: of, checkpoints, cluster }
  }, 30_000)
  if (!value) return error ? <Failure error={error} /> : <Loading />
  const { 'user-config': user, ...execution } = value.job['execution-config']
  return (
    <>
      <KeyValues title="Execution" entries={flat({ ...execution, ...user })} empty="Nothing is set" />
      <KeyValues title="Checkpoints" entries={flat(value.checkpoints)} empty="Nothing is set" />
      <KeyValues title="Cluster" entries={value.cluster.map(({ key, value }) => [key, value])} empty="Nothing is configured: all options have their defaults" />
    </>
  )
}

/** Nested objects as keys with dots. */
function flat(of: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(of).flatMap(([key, value]): [string, string][] =>
    value !== null && typeof value === 'object'
      ? flat(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[prefix + key, key === 'interval' && Number(value) > 9e18 ? 'none' : String(value)]])
}
