// The JobManager: what it was configured with.

import { get } from '../api'
import type { ConfigEntry } from '../types'
import { KeyValues } from '../ui/KeyValues'
import { Failure, Loading, Panel } from '../ui/parts'
import { usePoll } from '../usePoll'

export function JobManagerPage() {
  const { value, error } = usePoll('config', (signal) => get<ConfigEntry[]>('/jobmanager/config', signal), 30_000)
  return (
    <>
      <h1>JobManager</h1>
      {error && !value && <Failure error={error} />}
      {!error && !value && <Loading />}
      {value && <KeyValues title="Configuration" entries={value.map(({ key, value }) => [key, value])} empty="Nothing is configured: all options have their defaults" />}
      <Panel title="Logs">
        <p class="muted">Each process writes its log to its standard error; <code>flott start-cluster</code> puts it into a file below <code>FLOTT_LOG_DIR</code>. <code>FLOTT_LOG=info</code> in the environment shows more.</p>
      </Panel>
    </>
  )
}
