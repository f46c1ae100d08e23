// The JobManager: what it was configured with, and what its process does.

import { get } from '../api'
import type { ConfigEntry } from '../types'
import { KeyValues } from '../ui/KeyValues'
import { Failure, Loading } from '../ui/parts'
import { usePoll } from '../usePoll'
import { Process } from './Process'

export function JobManagerPage() {
  const { value, error } = usePoll('config', (signal) => get<ConfigEntry[]>('/jobmanager/config', signal), 30_000)
  return (
    <>
      <h1>JobManager</h1>
      {error && !value && <Failure error={error} />}
      {!error && !value && <Loading />}
      {value && <KeyValues title="Configuration" entries={value.map(({ key, value }) => [key, value])} empty="Nothing is configured: all options have their defaults" />}
      <Process path="/jobmanager" />
    </>
  )
}
