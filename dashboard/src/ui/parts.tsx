// Small parts that pages are made of.

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../api'
import { percent } from '../format'

const TONES: Record<string, string> = {
  RUNNING: 'good', FINISHED: 'calm', COMPLETED: 'good', FAILED: 'bad', FAILING: 'bad',
  CANCELED: 'quiet', CANCELLING: 'warn', CANCELING: 'warn', RESTARTING: 'warn', IN_PROGRESS: 'calm',
  CREATED: 'quiet', SCHEDULED: 'quiet', DEPLOYING: 'calm', INITIALIZING: 'calm', SUSPENDED: 'warn',
  ok: 'good', low: 'warn', high: 'bad',
}

export function tone(state: string): string {
  return TONES[state] ?? 'quiet'
}

export function Badge({ state }: { state: string }) {
  return <span class={`badge ${tone(state)}`}>{state.replace('_', ' ').toLowerCase()}</span>
}

/** What a table or a graph may be scrolled in; it takes the keyboard, so that it can be. */
export function Scroll({ label, class: name = '', children }: { label: string; class?: string; children: ComponentChildren }) {
  return <div class={`scroll ${name}`} role="region" aria-label={label} tabIndex={0}>{children}</div>
}

export function Panel({ title, aside, children, flush }: {
  title?: ComponentChildren
  aside?: ComponentChildren
  children: ComponentChildren
  flush?: boolean
}) {
  return (
    <section class={flush ? 'panel flush' : 'panel'}>
      {title !== undefined && <header class="panel-head"><h2>{title}</h2>{aside}</header>}
      {children}
    </section>
  )
}

export function Stat({ label, value, children }: { label: string; value: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd><span class="stat-value">{value}</span>{children}</dd>
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p class="empty-title">{title}</p>{children && <p>{children}</p>}</div>
}

export function Loading() {
  return <div class="loading" role="status">Loading…</div>
}

/** Why there is nothing to see; nothing while it is only the connection that is lost, which the top of the page tells. */
export function Failure({ error }: { error: ApiError }) {
  return (
    <div class="failure" role="alert">
      <p class="empty-title">{error.status === 404 ? 'Not found' : error.status === 0 ? 'No answer' : `Error ${error.status > 0 ? error.status : ''}`}</p>
      <p>{error.message}</p>
    </div>
  )
}

/** Busy, back-pressured and idle shares of time, as one bar with its figures as text for those who do not see it. */
export function LoadBar({ busy, backPressured, idle }: { busy?: number; backPressured?: number; idle?: number }) {
  if (busy === undefined) return <span class="loadbar none" aria-label="no load known" role="img" />
  const told = `busy ${percent(busy)}, back-pressured ${percent(backPressured ?? 0)}, idle ${percent(idle ?? 0)}`
  return (
    <span class="loadbar" role="img" aria-label={told} title={told}>
      <span class="busy" style={{ width: `${busy * 100}%` }} />
      <span class="pressed" style={{ width: `${(backPressured ?? 0) * 100}%` }} />
    </span>
  )
}

/** So much of so much. */
export function Meter({ used, total, label }: { used: number; total: number; label: string }) {
  const share = total > 0 ? used / total : 0
  return (
    <span class="meter" role="img" aria-label={`${label}: ${used} of ${total}`}>
      <span style={{ width: `${share * 100}%` }} />
    </span>
  )
}

export function Tabs({ tabs, current, label }: { tabs: { id: string; name: ComponentChildren; href: string }[]; current: string; label: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a key={tab.id} href={tab.href} aria-current={tab.id === current ? 'page' : undefined}>{tab.name}</a>
      ))}
    </nav>
  )
}

export function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard?.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <button type="button" class="copy" onClick={() => void copy()} title="Copy" aria-label={`Copy ${text}`}>
      {copied ? '✓' : (
        <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.4">
          <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
        </svg>
      )}
    </button>
  )
}

export function Filter({ value, onValue, label }: { value: string; onValue: (value: string) => void; label: string }) {
  return (
    <input class="filter" type="search" placeholder={label} aria-label={label} value={value}
      onInput={(event) => onValue(event.currentTarget.value)} />
  )
}

/** A dialog of the browser: it keeps the keyboard within, and Escape ends it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="dialog-body">
        <header><h2 id={id}>{title}</h2>
          <button type="button" class="plain" aria-label="Close" onClick={() => dialog.current?.close()}>✕</button></header>
        {children}
      </div>
    </dialog>
  )
}
