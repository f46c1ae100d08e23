// What a process tells of itself: its log, its threads, what it uses. The JobManager and TaskManagers tell the same.

import { useState } from 'preact/hooks'
import { get, text } from '../api'
import { bytes, count, duration, percent, time } from '../format'
import type { LogFile, MetricValue, ThreadInfo } from '../types'
import { Empty, Failure, Filter, Loading, Panel, Scroll, Stat } from '../ui/parts'
import { usePoll } from '../usePoll'

/** Longer logs are shown from here on: a page has to stay quick. */
const SHOWN = 200_000

const USED = ['Status.JVM.CPU.Load', 'Status.JVM.CPU.Time', 'Status.JVM.Memory.Heap.Used', 'Status.Flink.Memory.Managed.Used', 'Status.JVM.Threads.Count', 'Status.JVM.FileDescriptor.Open']

/** `path` is that of the process in the REST interface. */
export function Process({ path }: { path: string }) {
  return (
    <>
      <Usage path={path} />
      <Logs path={path} />
      <Threads path={path} />
    </>
  )
}

function Usage({ path }: { path: string }) {
  const { value } = usePoll(`usage ${path}`, (signal) => get<MetricValue[]>(`${path}/metrics?get=${USED.join(',')}`, signal))
  if (!value || value.length === 0) return null
  const [load, cpu, resident, state, threads, files] = USED.map((id) => Number(value.find((metric) => metric.id === id)?.value ?? 0)) as [number, number, number, number, number, number]
  return (
    <Panel title="Process">
      <dl class="stats">
        <Stat label="Load of all cores" value={percent(load)} />
        <Stat label="Processor time" value={duration(cpu / 1e6)} />
        <Stat label="Resident memory" value={bytes(resident)} />
        <Stat label="State" value={bytes(state)} />
        <Stat label="Threads" value={count(threads)} />
        <Stat label="Open files" value={count(files)} />
      </dl>
    </Panel>
  )
}

function Logs({ path }: { path: string }) {
  const { value, error } = usePoll(`logs ${path}`, (signal) => get<{ logs: LogFile[] }>(`${path}/logs`, signal), 10_000)
  const [chosen, choose] = useState<string>()
  const name = chosen ?? value?.logs[0]?.name
  const log = usePoll(name === undefined ? null : `log ${path} ${name}`, (signal) => text(`${path}/logs/${encodeURIComponent(name ?? '')}`, signal), 5_000)
  const shown = log.value?.slice(-SHOWN)
  return (
    <Panel title="Log">
      {error && !value ? <Failure error={error} /> : !value ? <Loading /> : value.logs.length === 0
        ? <Empty title="This process does not write to a file">Its log goes to its standard error, which is a terminal or a service. <code>flott start-cluster</code> puts it into a file.</Empty>
        : (
          <>
            <label>File <select value={name} onChange={(event) => choose(event.currentTarget.value)}>
              {value.logs.map((file) => <option key={file.name} value={file.name}>{`${file.name}, ${bytes(file.size)}, ${time(file.mtime)}`}</option>)}
            </select></label>
            {log.error && shown === undefined ? <Failure error={log.error} /> : shown === undefined ? <Loading /> : (
              <Scroll label="Lines of the log" class="log"><pre>{shown === '' ? 'Nothing is written yet.' : shown}</pre></Scroll>
            )}
          </>
        )}
    </Panel>
  )
}

function Threads({ path }: { path: string }) {
  const { value, error } = usePoll(`threads ${path}`, (signal) => get<{ threadInfos: ThreadInfo[] }>(`${path}/thread-dump`, signal), 5_000)
  const [filter, setFilter] = useState('')
  const wanted = filter.toLowerCase()
  const threads = value?.threadInfos.filter((thread) => thread.stringifiedThreadInfo.toLowerCase().includes(wanted))
  return (
    <Panel flush title={<>Threads <span class="number">{value?.threadInfos.length ?? ''}</span></>} aside={<Filter value={filter} onValue={setFilter} label="Filter threads" />}>
      {error && !threads ? <Failure error={error} /> : !threads ? <Loading /> : (
        <Scroll label="Threads of the process" class="log">
          <table>
            <thead><tr><th>Name</th><th>State</th><th>Waits in</th><th class="right">Processor time</th></tr></thead>
            <tbody>
              {threads.map((thread) => {
                const told = thread.stringifiedThreadInfo
                return (
                  <tr key={told.match(/Id=(\d+)/)?.[1]}>
                    <td class="wide">{thread.threadName}</td>
                    <td>{told.match(/Id=\d+ (\w+)/)?.[1]?.toLowerCase()}</td>
                    <td>{told.match(/at kernel\.(\S+)/)?.[1] ?? ''}</td>
                    <td class="right nowrap">{duration(Number(told.match(/cpu (\d+) ms/)?.[1] ?? 0))}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Scroll>
      )}
    </Panel>
  )
}
