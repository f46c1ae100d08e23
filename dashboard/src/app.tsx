// The frame of all pages: where one is, whether the JobManager answers, and the keyboard.

import { useEffect, useState } from 'preact/hooks'
import { get, onUnauthorized, setToken } from './api'
import { useConnection } from './connection'
import { JobPage } from './job/JobPage'
import { JobManagerPage } from './pages/JobManager'
import { OverviewPage } from './pages/Overview'
import { SqlPage } from './pages/Sql'
import { TaskManagerPage, TaskManagersPage } from './pages/TaskManagers'
import { go, href, type Route, useRoute } from './router'
import { choice, nextChoice, useTheme } from './theme'
import type { Overview } from './types'
import { Dialog, Empty } from './ui/parts'
import { time } from './format'
import { usePoll } from './usePoll'

const PLACES = [
  { id: 'overview', name: 'Overview', key: 'o' },
  { id: 'taskmanagers', name: 'TaskManagers', key: 't' },
  { id: 'jobmanager', name: 'JobManager', key: 'm' },
  { id: 'sql', name: 'SQL', key: 's' },
]

export function App() {
  const route = useRoute()
  const place = route.parts[0] ?? 'overview'
  const [help, setHelp] = useState(false)
  const [signsIn, setSignsIn] = useState(false)
  useEffect(() => onUnauthorized(() => setSignsIn(true)), [])
  useShortcuts(() => setHelp(true))
  const known = PLACES.find(({ id }) => id === place)
  useEffect(() => {
    if (place !== 'jobs') document.title = `${known?.name ?? 'Not found'} · Flott`
  }, [place, known])
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus() }}>Skip to content</a>
      <header class="top">
        <a class="brand" href={href('overview')} aria-label="Flott, overview">
          <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true"><path d="M6 9h15M6 16h20M6 23h11" stroke="currentColor" stroke-width="4" stroke-linecap="round" /></svg>
          <span>Flott</span>
        </a>
        <nav aria-label="Pages">
          {PLACES.map(({ id, name }) => (
            <a key={id} href={href(id)} aria-current={id === place || (id === 'overview' && place === 'jobs') ? 'page' : undefined}>{name}</a>
          ))}
        </nav>
        <Side onHelp={() => setHelp(true)} />
      </header>
      <Lost />
      <main id="main" tabIndex={-1}><Page route={route} place={place} /></main>
      {help && <Help onClose={() => setHelp(false)} />}
      {signsIn && <SignIn onClose={() => setSignsIn(false)} />}
    </>
  )
}

function Page({ route, place }: { route: Route; place: string }) {
  const [, second] = route.parts
  switch (place) {
    case 'overview':
      return <OverviewPage />
    case 'jobs':
      return second === undefined ? <OverviewPage /> : <JobPage key={second} id={second} rest={route.parts.slice(2)} />
    case 'taskmanagers':
      return second === undefined ? <TaskManagersPage /> : <TaskManagerPage key={second} id={second} />
    case 'jobmanager':
      return <JobManagerPage />
    case 'sql':
      return <SqlPage />
    default:
      return <Empty title="There is no such page"><a href={href('overview')}>To the overview</a></Empty>
  }
}

function Side({ onHelp }: { onHelp: () => void }) {
  const theme = useTheme()
  const connection = useConnection()
  const { value } = usePoll('overview', (signal) => get<Overview>('/overview', signal), 5_000)
  const marks = { system: '◐', light: '☀', dark: '☾' }
  return (
    <div class="side">
      <span class={`pulse ${connection.lost === undefined ? 'good' : 'bad'}`} role="img"
        aria-label={connection.lost === undefined ? 'connected' : 'not connected'} />
      {value && <span class="version" title="Version of the JobManager">{value['flink-version']}</span>}
      <button type="button" class="plain" onClick={nextChoice} data-theme-choice={theme}
        title={`Theme: ${choice()}`} aria-label={`Theme: ${choice()}. Change`}>{marks[choice()]}</button>
      <button type="button" class="plain" onClick={onHelp} title="Keyboard shortcuts" aria-label="Keyboard shortcuts">?</button>
    </div>
  )
}

function Lost() {
  const connection = useConnection()
  if (connection.lost === undefined) return null
  return (
    <div class="lost" role="alert">
      <strong>{connection.lost}</strong> {connection.heardAt
        ? `What you see is as of ${time(connection.heardAt)}. `
        : ''}The page goes on asking.
    </div>
  )
}

function useShortcuts(onHelp: () => void): void {
  useEffect(() => {
    let wentAt = 0
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]')) return
      const isSecond = event.timeStamp - wentAt < 1_500
      wentAt = 0
      const place = isSecond ? PLACES.find(({ key }) => key === event.key) : undefined
      if (place) go(place.id)
      else if (event.key === 'g') wentAt = event.timeStamp
      else if (event.key === '?') onHelp()
      else if (event.key === 't') nextChoice()
      else if (event.key === '/') document.querySelector<HTMLInputElement>('input[type=search]')?.focus()
      else if (/^[1-9]$/.test(event.key)) document.querySelectorAll<HTMLAnchorElement>('main .tabs a')[Number(event.key) - 1]?.click()
      else return
      event.preventDefault()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [onHelp])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

function Help({ onClose }: { onClose: () => void }) {
  const keys: [string[], string][] = [
    ...PLACES.map(({ name, key }): [string[], string] => [['g', key], name]),
    [['1'], 'First tab of a job; 2 to 7 the others'],
    [['/'], 'Filter'],
    [['t'], 'Theme: system, light, dark'],
    [['Ctrl', 'Enter'], 'Run the statement (SQL)'],
    [['Esc'], 'Close'],
    [['?'], 'This list'],
  ]
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {keys.map(([pressed, what]) => (
          <div key={what}><dt>{pressed.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{what}</dd></div>
        ))}
      </dl>
    </Dialog>
  )
}

function SignIn({ onClose }: { onClose: () => void }) {
  const [token, write] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    setToken(token)
    location.reload()
  }
  return (
    <Dialog title="Sign in" onClose={onClose}>
      <form onSubmit={submit} class="form">
        <p>This cluster asks for a token. It is kept until the tab is closed.</p>
        <label>Token<input type="password" autocomplete="off" value={token} onInput={(event) => write(event.currentTarget.value)} /></label>
        <div class="actions"><button type="submit" class="primary" disabled={token === ''}>Sign in</button></div>
      </form>
    </Dialog>
  )
}
