// A session of the SQL gateway: kept for the tab, opened anew when the server has forgotten it.

import { ApiError, get, post, remove } from '../api'
import type { Row } from './rows'

export interface Column {
  name: string
  logicalType: { type: string; nullable: boolean }
}

interface Page {
  resultType: 'PAYLOAD' | 'EOS' | 'NOT_READY'
  isQueryResult: boolean
  jobID: string | null
  results: { columns: Column[]; data: Row[] }
  nextResultUri: string | null
}

export interface Listener {
  columns(columns: Column[]): void
  rows(rows: Row[]): void
  job(id: string): void
}

const KEY = 'flott.session'

async function open(): Promise<string> {
  const { sessionHandle } = await post<{ sessionHandle: string }>('/v1/sessions', { sessionName: 'dashboard' })
  sessionStorage.setItem(KEY, sessionHandle)
  return sessionHandle
}

/** Does something in the session of this tab; `isNew` tells that the tables of an earlier one are gone. */
async function within<T>(act: (session: string) => Promise<T>, isNew?: () => void): Promise<T> {
  const known = sessionStorage.getItem(KEY)
  if (known === null) return act(await open())
  try {
    return await act(known)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    const session = await open()
    isNew?.()
    return act(session)
  }
}

export function newSession(): void {
  const known = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  // It ends by itself if the server does not hear this.
  if (known !== null) remove(`/v1/sessions/${known}`).catch(() => {})
}

/** Runs a statement to its end, or until it is told to stop. */
export async function run(statement: string, listener: Listener, signal: AbortSignal, isNew: () => void): Promise<void> {
  let session = ''
  const { operationHandle } = await within((handle) => {
    session = handle
    return post<{ operationHandle: string }>(`/v1/sessions/${handle}/statements`, { statement })
  }, isNew)
  const operation = `/v1/sessions/${session}/operations/${operationHandle}`
  try {
    let next: string | null = `${operation}/result/0?rowFormat=PLAIN_TEXT`
    while (next !== null) {
      const page: Page = await get<Page>(next, signal)
      if (page.jobID !== null) listener.job(page.jobID)
      if (page.results.columns.length > 0) listener.columns(page.results.columns)
      listener.rows(page.results.data)
      next = page.nextResultUri
    }
  } finally {
    // Cancels it, too, if it is a query that has not ended.
    remove(`${operation}/close`).catch(() => {})
  }
}

/** The whole answer to a statement that has one. */
export async function ask(statement: string, signal: AbortSignal): Promise<(string | null)[][]> {
  const all: (string | null)[][] = []
  const listener = { columns: () => {}, job: () => {}, rows: (rows: Row[]) => void all.push(...rows.map((row) => row.fields)) }
  await run(statement, listener, signal, () => {})
  return all
}

export async function candidates(statement: string, position: number): Promise<string[]> {
  const answer = await within((session) =>
    post<{ candidates: string[] }>(`/v1/sessions/${session}/complete-statement`, { statement, position }))
  return answer.candidates
}
