import { describe, expect, test } from 'vitest'
import { delay, Poller, type Surroundings } from './poll'

/** A page and its clock, moved by hand. */
class Page implements Surroundings {
  hidden = false
  timers = new Map<number, { callback: () => void; millis: number }>()
  private listeners = new Set<() => void>()
  private next = 1

  isHidden = () => this.hidden
  onVisibility(listener: () => void) {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  setTimer(callback: () => void, millis: number) {
    this.timers.set(this.next, { callback, millis })
    return this.next++
  }
  clearTimer(timer: number) {
    this.timers.delete(timer)
  }
  hide(hidden: boolean) {
    this.hidden = hidden
    this.listeners.forEach((listener) => listener())
  }
  get listening() {
    return this.listeners.size
  }
  /** Fires the one timer, and answers how long it was. */
  fire(): number {
    const [[id, timer]] = [...this.timers] as [[number, { callback: () => void; millis: number }]]
    this.timers.delete(id)
    timer.callback()
    return timer.millis
  }
}

/** Requests that are answered by hand. */
function server() {
  const asked: { answer: (value: number) => void; fail: (error: unknown) => void; signal: AbortSignal }[] = []
  const ask = (signal: AbortSignal) => new Promise<number>((answer, fail) => asked.push({ answer, fail, signal }))
  const told: unknown[] = []
  const listener = { value: (value: number) => void told.push(value), failure: (error: unknown) => void told.push(`failed: ${String(error)}`) }
  return { asked, ask, told, listener }
}

const settled = () => new Promise((resolve) => setTimeout(resolve))

describe('polling', () => {
  test('asks again after an answer, and never twice at once', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    new Poller(ask, 2_000, listener, page)
    expect([asked.length, page.timers.size]).toEqual([1, 0])
    asked[0]?.answer(1)
    await settled()
    expect(told).toEqual([1])
    expect(page.fire()).toBe(2_000)
    expect(asked.length).toBe(2)
  })

  test('pauses while nobody looks, and asks at once when somebody does', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    new Poller(ask, 2_000, listener, page)
    asked[0]?.answer(1)
    await settled()
    page.hide(true)
    expect(page.timers.size).toBe(0)
    page.hide(false)
    expect(asked.length).toBe(2)
    // An answer that comes while hidden is told, and asks for no other.
    page.hide(true)
    asked[1]?.answer(2)
    await settled()
    expect([told, page.timers.size]).toEqual([[1, 2], 0])
  })

  test('a page that is opened in the background waits', () => {
    const [page, { asked, ask, listener }] = [new Page(), server()]
    page.hidden = true
    new Poller(ask, 2_000, listener, page)
    expect(asked.length).toBe(0)
    page.hide(false)
    expect(asked.length).toBe(1)
  })

  test('asks more and more seldom while it fails, and as before after an answer', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    new Poller(ask, 2_000, listener, page)
    const waits: number[] = []
    for (let attempt = 0; attempt < 5; attempt += 1) {
      asked[attempt]?.fail('no')
      await settled()
      waits.push(page.fire())
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 15_000, 15_000])
    asked[5]?.answer(7)
    await settled()
    expect(page.fire()).toBe(2_000)
    expect(told.at(-1)).toBe(7)
  })

  test('a request that is overtaken is given up and not told', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    const poller = new Poller(ask, 2_000, listener, page)
    poller.now()
    expect(asked[0]?.signal.aborted).toBe(true)
    asked[1]?.answer(2)
    asked[0]?.answer(1)
    await settled()
    expect([told, page.timers.size]).toEqual([[2], 1])
  })

  test('says nothing after its end', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    const poller = new Poller(ask, 2_000, listener, page)
    poller.stop()
    asked[0]?.answer(1)
    await settled()
    expect([told, page.timers.size, page.listening, asked[0]?.signal.aborted]).toEqual([[], 0, 0, true])
  })

  test('an answer that never changes is the last', async () => {
    const [page, { asked, ask, told, listener }] = [new Page(), server()]
    new Poller(ask, 2_000, { ...listener, isLast: (value) => value === 2 }, page)
    asked[0]?.answer(1)
    await settled()
    page.fire()
    asked[1]?.answer(2)
    await settled()
    expect([told, page.timers.size, page.listening]).toEqual([[1, 2], 0, 0])
  })

  test('an interval that is longer than the longest wait stays', () => expect(delay(30_000, 9)).toBe(30_000))
})
