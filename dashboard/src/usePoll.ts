// Polling for components.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api'
import { browser, Poller } from './poll'
import { reachable, unreachable } from './connection'

export interface Polled<T> {
  /** The last answer; kept while later attempts fail. */
  value?: T
  error?: ApiError
  /** Asks now. */
  refresh: () => void
}

/** What pages that live refresh at. */
export const INTERVAL = 2_000

/** Asks again and again for as long as the component is there. Another `key` begins anew; `null` asks nothing. */
export function usePoll<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
  interval = INTERVAL,
  isLast?: (value: T) => boolean,
): Polled<T> {
  const [state, setState] = useState<{ key: string | null; value?: T; error?: ApiError }>({ key })
  const poller = useRef<Poller<T> | undefined>(undefined)
  const asking = useRef(ask)
  asking.current = ask
  useEffect(() => {
    if (key === null) return
    const running = new Poller<T>((signal) => asking.current(signal), interval, {
      isLast,
      value(value) {
        reachable()
        setState({ key, value })
      },
      failure(error) {
        const told = error instanceof ApiError ? error : new ApiError(-1, String(error))
        if (told.status === 0) unreachable(told.message)
        else reachable()
        setState((before) => ({ key, value: before.key === key ? before.value : undefined, error: told }))
      },
    }, browser)
    poller.current = running
    return () => running.stop()
  }, [key, interval])
  const refresh = useCallback(() => poller.current?.now(), [])
  return state.key === key ? { value: state.value, error: state.error, refresh } : { refresh }
}
