// Light or dark: as the system has it, or as the reader has chosen.

import { useEffect, useState } from 'preact/hooks'

export type Choice = 'system' | 'light' | 'dark'

const KEY = 'flott.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

export function choice(): Choice {
  const stored = localStorage.getItem(KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

export function shown(): 'light' | 'dark' {
  const chosen = choice()
  return chosen !== 'system' ? chosen : system.matches ? 'dark' : 'light'
}

function apply(): void {
  document.documentElement.dataset.theme = shown()
  listeners.forEach((listener) => listener())
}

export function choose(next: Choice): void {
  localStorage.setItem(KEY, next)
  apply()
}

export function nextChoice(): void {
  const order: Choice[] = ['system', 'light', 'dark']
  choose(order[(order.indexOf(choice()) + 1) % order.length] ?? 'system')
}

system.addEventListener('change', apply)
apply()

/** The theme that is shown, and the choice behind it; changes with it. */
export function useTheme(): string {
  const [value, setValue] = useState(`${choice()} ${shown()}`)
  useEffect(() => {
    const changed = () => setValue(`${choice()} ${shown()}`)
    listeners.add(changed)
    return () => void listeners.delete(changed)
  }, [])
  return value
}
