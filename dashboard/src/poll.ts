// Asking again and again: one request at a time, none while nobody looks, slower while nothing answers.

export interface Surroundings {
  isHidden(): boolean
  /** Calls when that changes; returns how to stop it. */
  onVisibility(listener: () => void): () => void
  setTimer(callback: () => void, millis: number): number
  clearTimer(timer: number): void
}

export interface Listener<T> {
  value(value: T): void
  failure(error: unknown): void
  /** Whether this answer will never change: then it is the last one. */
  isLast?(value: T): boolean
}

/** So long at most between two attempts while they fail. */
const SLOWEST = 15_000

/** How long until the next attempt, after so many failures in a row. */
export function delay(interval: number, failures: number): number {
  return failures === 0 ? interval : Math.min(interval * 2 ** (failures - 1), Math.max(SLOWEST, interval))
}

export class Poller<T> {
  private timer: number | undefined
  private current: AbortController | undefined
  private failures = 0
  private isStopped = false
  private readonly unsubscribe: () => void

  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<T>,
    private readonly interval: number,
    private readonly listener: Listener<T>,
    private readonly around: Surroundings,
  ) {
    this.unsubscribe = around.onVisibility(() => this.visibilityChanged())
    // A page that is opened in the background asks once it is looked at.
    if (!around.isHidden()) void this.attempt()
  }

  /** Asks now, and goes on from there. */
  now(): void {
    if (this.isStopped) return
    this.cancelTimer()
    this.current?.abort()
    void this.attempt()
  }

  stop(): void {
    this.isStopped = true
    this.cancelTimer()
    this.current?.abort()
    this.unsubscribe()
  }

  private visibilityChanged(): void {
    if (this.around.isHidden()) this.cancelTimer()
    else if (this.current === undefined && this.timer === undefined) this.now()
  }

  private cancelTimer(): void {
    if (this.timer !== undefined) this.around.clearTimer(this.timer)
    this.timer = undefined
  }

  private async attempt(): Promise<void> {
    const asked = new AbortController()
    this.current = asked
    const outcome = await this.ask(asked.signal).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    // Somebody has asked anew in between, or nobody wants to know any more.
    if (this.isStopped || this.current !== asked) return
    this.current = undefined
    if ('value' in outcome) {
      this.failures = 0
      this.listener.value(outcome.value)
      if (this.listener.isLast?.(outcome.value)) return this.stop()
    } else {
      this.failures += 1
      this.listener.failure(outcome.error)
    }
    if (this.isStopped || this.around.isHidden()) return
    this.timer = this.around.setTimer(() => {
      this.timer = undefined
      void this.attempt()
    }, delay(this.interval, this.failures))
  }
}

export const browser: Surroundings = {
  isHidden: () => document.hidden,
  onVisibility(listener) {
    document.addEventListener('visibilitychange', listener)
    return () => document.removeEventListener('visibilitychange', listener)
  },
  setTimer: (callback, millis) => window.setTimeout(callback, millis),
  clearTimer: (timer) => window.clearTimeout(timer),
}
