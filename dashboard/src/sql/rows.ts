// The rows of a result, as changes and as the table that they make. Pure.

export type Kind = 'INSERT' | 'UPDATE_BEFORE' | 'UPDATE_AFTER' | 'DELETE'

export interface Row {
  kind: Kind
  fields: (string | null)[]
}

export interface Rows {
  /** The last changes. */
  changes: Row[]
  /** How many there were in all. */
  total: number
  /** Rows of the table by their content, with how often each is there. */
  table: Map<string, { fields: (string | null)[]; count: number }>
  updates: boolean
}

/** So many changes are kept and shown, and so many rows of the table are shown. */
export const SHOWN = 1_000

export function noRows(): Rows {
  return { changes: [], total: 0, table: new Map(), updates: false }
}

/** The rows with some more. */
export function withRows(before: Rows, more: Row[]): Rows {
  if (more.length === 0) return before
  const table = new Map(before.table)
  let { updates } = before
  for (const { kind, fields } of more) {
    const key = JSON.stringify(fields)
    const known = table.get(key)?.count ?? 0
    const count = known + (kind === 'INSERT' || kind === 'UPDATE_AFTER' ? 1 : -1)
    updates ||= kind !== 'INSERT'
    if (count === 0) table.delete(key)
    else table.set(key, { fields, count })
  }
  return { changes: [...before.changes, ...more].slice(-SHOWN), total: before.total + more.length, table, updates }
}

/** The first rows of the table. */
export function tableRows(rows: Rows): (string | null)[][] {
  const shown: (string | null)[][] = []
  for (const { fields, count } of rows.table.values()) {
    for (let times = 0; times < count && shown.length < SHOWN; times += 1) shown.push(fields)
    if (shown.length >= SHOWN) break
  }
  return shown
}

const SIGNS: Record<Kind, string> = { INSERT: '+I', UPDATE_BEFORE: '-U', UPDATE_AFTER: '+U', DELETE: '-D' }

export function sign(kind: Kind): string {
  return SIGNS[kind]
}
