// Whether the JobManager answers: one fact for the whole page, shown at its top.

import { useEffect, useState } from 'preact/hooks'

export interface Connection {
  /** Why it does not. */
  lost?: string
  /** When it last answered. */
  heardAt?: number
}

let connection: Connection = {}
const listeners = new Set<(connection: Connection) => void>()

function become(next: Connection): void {
  const changed = next.lost !== connection.lost
  connection = next
  if (changed) listeners.forEach((listener) => listener(next))
}

export function reachable(): void {
  become({ heardAt: Date.now() })
}

export function unreachable(message: string): void {
  become({ ...connection, lost: message })
}

export function useConnection(): Connection {
  const [value, setValue] = useState(connection)
  useEffect(() => {
    listeners.add(setValue)
    return () => void listeners.delete(setValue)
  }, [])
  return value
}
