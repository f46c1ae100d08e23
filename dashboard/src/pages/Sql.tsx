// SQL: write statements, run them, and watch their results change.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api'
import { count } from '../format'
import { href } from '../router'
import { Editor } from '../sql/Editor'
import { noRows, type Rows, SHOWN, sign, tableRows, withRows } from '../sql/rows'
import { ask, type Column, newSession, run } from '../sql/session'
import { split, statementAt } from '../sql/split'
import { PlanGraph } from '../sql/PlanGraph'
import { Empty, Panel, Scroll } from '../ui/parts'

const TEXT = 'flott.sql'
const FIRST = `-- Ctrl+Enter runs the statement at the cursor; Ctrl+Space completes.
CREATE TABLE clicks (
  page INT,
  at AS LOCALTIMESTAMP
) WITH ('connector' = 'datagen', 'rows-per-second' = '20', 'fields.page.min' = '1', 'fields.page.max' = '5');

SELECT page, COUNT(*) AS clicks FROM clicks GROUP BY page;
`

interface State {
  statement?: string
  columns: Column[]
  rows: Rows
  job?: string
  status: 'none' | 'runs' | 'ended' | 'stopped' | 'failed'
  message?: string
  millis?: number
}

const NOTHING: State = { columns: [], rows: noRows(), status: 'none' }

export function SqlPage() {
  const [text, setText] = useState(() => localStorage.getItem(TEXT) ?? FIRST)
  const [state, setState] = useState(NOTHING)
  const [note, setNote] = useState<string>()
  const [view, setView] = useState<'table' | 'changes'>()
  const [tables, setTables] = useState<string[]>([])
  const running = useRef<AbortController | undefined>(undefined)
  const cursor = useRef(0)

  const listTables = async () => {
    const rows = await ask('SHOW TABLES', AbortSignal.timeout(20_000)).catch(() => [])
    setTables(rows.map((row) => row[0] ?? ''))
  }
  useEffect(() => {
    void listTables()
    // Whoever leaves the page does not read on.
    return () => running.current?.abort()
  }, [])

  const write = (next: string) => {
    setText(next)
    localStorage.setItem(TEXT, next)
  }

  const execute = async (statements: string[]) => {
    running.current?.abort()
    const controller = new AbortController()
    running.current = controller
    setNote(undefined)
    for (const statement of statements) {
      const began = performance.now()
      // Rows come faster than anybody sees: they are shown once a frame.
      let current: State = { ...NOTHING, statement, status: 'runs' }
      let isDue = false
      const show = (change: Partial<State>) => {
        current = { ...current, ...change }
        if (isDue || controller.signal.aborted) return
        isDue = true
        requestAnimationFrame(() => {
          isDue = false
          if (running.current === controller) setState(current)
        })
      }
      show({})
      try {
        await run(statement, {
          columns: (columns) => show({ columns }),
          rows: (rows) => show({ rows: withRows(current.rows, rows) }),
          job: (job) => show({ job }),
        }, controller.signal, () => setNote('The session had ended: this is a new one, without the tables and settings of the last.'))
        show({ status: 'ended', millis: performance.now() - began })
      } catch (error) {
        if (controller.signal.aborted) {
          setState((before) => (before.status === 'runs' ? { ...before, status: 'stopped' } : before))
          return
        }
        show({ status: 'failed', message: error instanceof ApiError ? error.message : String(error) })
        return
      }
    }
    void listTables()
  }

  const runAt = (selection: string, at: number) => {
    cursor.current = at
    const wanted = selection.trim() === '' ? [statementAt(text, at)?.text] : split(selection).map((piece) => piece.text)
    void execute(wanted.filter((statement) => statement !== undefined))
  }
  const explain = () => {
    const statement = statementAt(text, cursor.current)?.text
    if (statement !== undefined) void execute([/^\s*EXPLAIN\b/i.test(statement) ? statement : `EXPLAIN ${statement}`])
  }
  const isRunning = state.status === 'runs'
  return (
    <>
      <h1>SQL</h1>
      <div class="sql-page">
        <div>
          <Panel>
            <div onSelect={(event) => { if (event.target instanceof HTMLTextAreaElement) cursor.current = event.target.selectionStart }}
              onKeyUp={(event) => { if (event.target instanceof HTMLTextAreaElement) cursor.current = event.target.selectionStart }}
              onClick={(event) => { if (event.target instanceof HTMLTextAreaElement) cursor.current = event.target.selectionStart }}>
              <Editor text={text} onText={write} onRun={runAt} />
            </div>
            <div class="sql-bar">
              <button type="button" class="primary" onClick={() => runAt('', cursor.current)} title="Ctrl+Enter">Run statement</button>
              <button type="button" onClick={() => void execute(split(text).map((piece) => piece.text))}>Run all</button>
              <button type="button" onClick={explain}>Explain</button>
              {isRunning && <button type="button" class="danger" onClick={() => running.current?.abort()}>Stop</button>}
              <span class="grow" />
              <button type="button" class="plain" onClick={() => { running.current?.abort(); newSession(); setTables([]); setState(NOTHING); setNote('A new session: without tables and settings.') }}>New session</button>
            </div>
            {note && <p class="note" role="status">{note}</p>}
          </Panel>
          <Result state={state} view={view} onView={setView} />
        </div>
        <Panel title={<>Tables <span class="number">{tables.length}</span></>}>
          {tables.length === 0
            ? <p class="muted">This session has none yet.</p>
            : (
              <ul class="tables-list">
                {tables.map((name) => <li key={name}><button type="button" class="plain" title={`DESCRIBE ${name}`} onClick={() => void execute([`DESCRIBE \`${name.replaceAll('`', '``')}\``])}>{name}</button></li>)}
              </ul>
            )}
        </Panel>
      </div>
    </>
  )
}

function Result({ state, view, onView }: { state: State; view?: 'table' | 'changes'; onView: (view: 'table' | 'changes') => void }) {
  if (state.status === 'none') return <Panel><Empty title="No result yet">Run a statement to see its rows here as they come.</Empty></Panel>
  const shown = view ?? 'table'
  const { rows, columns } = state
  const only = columns.length === 1 && rows.total === 1 ? rows.changes[0]?.fields[0] : undefined
  const plan = only != null && only.includes('\n') ? only : undefined
  return (
    <Panel title={<span class="sql-status" role="status">{told(state)}</span>}
      aside={rows.updates && (
        <div class="tabs" role="group" aria-label="View">
          <button type="button" class="plain" aria-pressed={shown === 'table'} onClick={() => onView('table')}>Table</button>
          <button type="button" class="plain" aria-pressed={shown === 'changes'} onClick={() => onView('changes')}>Changes</button>
        </div>
      )}>
      {state.job && state.status === 'runs' && <p class="note"><a href={href('jobs', state.job)}>Job {state.job}</a></p>}
      {state.message !== undefined && <div class="outcome bad" role="alert"><p>{state.message}</p></div>}
      {plan !== undefined
        ? <><PlanGraph text={plan} /><pre tabIndex={0} aria-label="Answer">{plan.trimEnd()}</pre></>
        : columns.length > 0 && (
          <Scroll label="Result" class="result">
            <table>
              <thead><tr>{shown === 'changes' && <th class="op">op</th>}{columns.map((column, index) => <th key={index} title={column.logicalType.type}>{column.name}</th>)}</tr></thead>
              <tbody>
                {shown === 'changes'
                  ? rows.changes.toReversed().map((row, index) => <tr key={rows.total - index}><td class="op">{sign(row.kind)}</td><Cells fields={row.fields} /></tr>)
                  : tableRows(rows).map((fields, index) => <tr key={index}><Cells fields={fields} /></tr>)}
              </tbody>
            </table>
          </Scroll>
        )}
    </Panel>
  )
}

function Cells({ fields }: { fields: (string | null)[] }) {
  return <>{fields.map((field, index) => <td key={index} class={field === null ? 'null' : undefined} title={field ?? undefined}>{field ?? 'NULL'}</td>)}</>
}

function told(state: State): string {
  const { rows } = state
  const size = [...rows.table.values()].reduce((sum, row) => sum + row.count, 0)
  const what = rows.updates ? `${count(size)} rows, ${count(rows.total)} changes` : `${count(rows.total)} ${rows.total === 1 ? 'row' : 'rows'}`
  const cut = size > SHOWN || rows.total > SHOWN ? `, of which ${count(SHOWN)} are shown` : ''
  switch (state.status) {
    case 'none': return ''
    case 'runs': return `Running: ${what}${cut}`
    case 'ended': return `${what}${cut}, ${Math.round(state.millis ?? 0)} ms`
    case 'stopped': return `Stopped: ${what}${cut}`
    case 'failed': return 'Failed'
  }
}
