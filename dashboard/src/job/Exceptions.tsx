// Why the job failed: the last error in full, those before it as a list.

import { get } from '../api'
import { time } from '../format'
import { href } from '../router'
import type { ExceptionEntry, Exceptions, Job } from '../types'
import { Copy, Empty, Failure, Loading, Panel } from '../ui/parts'
import { usePoll } from '../usePoll'

export function ExceptionsPage({ job }: { job: Job }) {
  const { value, error } = usePoll(`exceptions ${job.jid}`, (signal) => get<Exceptions>(`/jobs/${job.jid}/exceptions?maxExceptions=50`, signal))
  if (!value) return error ? <Failure error={error} /> : <Loading />
  const { truncated } = value.exceptionHistory
  // Behind what ended an attempt, the tasks that failed because of it.
  const entries = value.exceptionHistory.entries.flatMap((entry) => [entry, ...entry.concurrentExceptions])
  const [last, ...before] = entries
  if (last === undefined) return <Panel><Empty title="No exception">Nothing has failed so far.</Empty></Panel>
  return (
    <>
      <Panel title="Root cause"><Entry entry={last} /></Panel>
      {before.length > 0 && (
        <Panel title={<>Before it <span class="number">{before.length}{truncated ? '+' : ''}</span></>}>
          {before.map((entry) => (
            <details key={`${entry.timestamp} ${entry.taskName ?? ''}`} class="exception">
              <summary><span class="nowrap">{time(entry.timestamp)}</span> <strong>{entry.exceptionName}</strong> <span class="muted one-line">{entry.stacktrace.split('\n')[0]}</span></summary>
              <Entry entry={entry} />
            </details>
          ))}
        </Panel>
      )}
    </>
  )
}

function Entry({ entry }: { entry: ExceptionEntry }) {
  return (
    <div class="exception-entry">
      <p class="facts">
        <span><strong>{entry.exceptionName}</strong></span>
        <span>{time(entry.timestamp)}</span>
        {entry.taskName !== null && <span>{entry.taskName}</span>}
        {entry.taskManagerId !== null && <span><a href={href('taskmanagers', entry.taskManagerId)}>{entry.taskManagerId}</a></span>}
        <Copy text={entry.stacktrace} />
      </p>
      <pre tabIndex={0} aria-label="Message">{entry.stacktrace}</pre>
    </div>
  )
}
