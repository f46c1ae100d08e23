// What can be done with a job. Each asks first: it cannot be undone.

import { useState } from 'preact/hooks'
import { ApiError, get, patch, post } from '../api'
import type { Job, Operation } from '../types'
import { Copy, Dialog } from '../ui/parts'

type What = 'cancel' | 'stop' | 'savepoint' | 'checkpoint'

const ENDED = new Set(['FINISHED', 'FAILED', 'CANCELED'])

export function Actions({ job, onChanged }: { job: Job; onChanged: () => void }) {
  const [what, setWhat] = useState<What>()
  if (ENDED.has(job.state)) return <div class="actions" />
  return (
    <div class="actions">
      <button type="button" onClick={() => setWhat('checkpoint')}>Checkpoint</button>
      <button type="button" onClick={() => setWhat('savepoint')}>Savepoint</button>
      <button type="button" onClick={() => setWhat('stop')}>Stop</button>
      <button type="button" class="danger" onClick={() => setWhat('cancel')}>Cancel</button>
      {what && <Confirm what={what} job={job} onClose={() => { setWhat(undefined); onChanged() }} />}
    </div>
  )
}

const TEXTS: Record<What, { title: string; text: string; button: string; danger?: boolean }> = {
  cancel: {
    title: 'Cancel the job?',
    text: 'It ends at once, without a savepoint. What it has read since its last checkpoint is not committed.',
    button: 'Cancel the job',
    danger: true,
  },
  stop: { title: 'Stop the job with a savepoint?', text: 'The job takes a savepoint and ends with it. It can go on from there.', button: 'Stop the job', danger: true },
  savepoint: { title: 'Take a savepoint', text: 'A snapshot of its own, which is kept until you delete it. The job goes on.', button: 'Take a savepoint' },
  checkpoint: { title: 'Take a checkpoint', text: 'A checkpoint now, whatever the interval is.', button: 'Take a checkpoint' },
}

type Progress = { state: 'asks' } | { state: 'waits' } | { state: 'done'; text: string; place?: string } | { state: 'failed'; text: string }

function Confirm({ what, job, onClose }: { what: What; job: Job; onClose: () => void }) {
  const [progress, setProgress] = useState<Progress>({ state: 'asks' })
  const [folder, setFolder] = useState('')
  const [drain, setDrain] = useState(false)
  const texts = TEXTS[what]
  const begin = async (event: Event) => {
    event.preventDefault()
    setProgress({ state: 'waits' })
    try {
      setProgress({ state: 'done', ...await act(what, job.jid, folder.trim(), drain) })
    } catch (error) {
      setProgress({ state: 'failed', text: error instanceof ApiError ? error.message : String(error) })
    }
  }
  const needsFolder = what === 'stop' || what === 'savepoint'
  return (
    <Dialog title={texts.title} onClose={onClose}>
      <form class="form" onSubmit={(event) => void begin(event)}>
        <p class="of-job">{job.name}</p>
        {progress.state === 'done'
          ? (
            <div class="outcome good" role="status">
              <p>{progress.text}</p>
              {progress.place && <p><code>{progress.place}</code><Copy text={progress.place} /></p>}
            </div>
          )
          : (
            <>
              <p>{texts.text}</p>
              {needsFolder && (
                <label>Folder
                  <input type="text" value={folder} placeholder="as configured (execution.checkpointing.savepoint-dir)"
                    onInput={(event) => setFolder(event.currentTarget.value)} />
                </label>
              )}
              {what === 'stop' && (
                <label class="check"><input type="checkbox" checked={drain} onChange={(event) => setDrain(event.currentTarget.checked)} />
                  Drain: let event time end first, so that every window fires
                </label>
              )}
              {progress.state === 'failed' && <div class="outcome bad" role="alert"><p>{progress.text}</p></div>}
              <div class="actions">
                <button type="submit" class={texts.danger ? 'danger primary' : 'primary'} disabled={progress.state === 'waits'}>
                  {progress.state === 'waits' ? 'Waiting…' : texts.button}
                </button>
              </div>
            </>
          )}
      </form>
    </Dialog>
  )
}

async function act(what: What, job: string, folder: string, drain: boolean): Promise<{ text: string; place?: string }> {
  const target = folder === '' ? undefined : folder
  switch (what) {
    case 'cancel':
      await patch(`/jobs/${job}?mode=cancel`)
      return { text: 'The job is being cancelled.' }
    case 'checkpoint': {
      const operation = await ended(`/jobs/${job}/checkpoints`, await post(`/jobs/${job}/checkpoints`, {}))
      return { text: `Checkpoint ${operation?.checkpointId ?? ''} is complete.` }
    }
    case 'savepoint': {
      const operation = await ended(`/jobs/${job}/savepoints`, await post(`/jobs/${job}/savepoints`, { 'target-directory': target }))
      return { text: 'The savepoint is complete:', place: operation?.location }
    }
    case 'stop': {
      const operation = await ended(`/jobs/${job}/savepoints`, await post(`/jobs/${job}/stop`, { targetDirectory: target, drain }))
      return { text: 'The job has ended with this savepoint:', place: operation?.location }
    }
  }
}

/** Waits for what was begun. */
async function ended(path: string, begun: { 'request-id': string }): Promise<Operation['operation']> {
  for (;;) {
    const { status, operation } = await get<Operation>(`${path}/${begun['request-id']}`)
    const failure = operation?.['failure-cause']
    if (failure) throw new ApiError(500, failure['stack-trace'])
    if (status.id === 'COMPLETED') return operation
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}
