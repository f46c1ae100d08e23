// Numbers, times and names as people read them. Pure.

const NONE = '–'

/** A count: 1,234 in full up to a million, then 1.23 M. */
export function count(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE
  const absolute = Math.abs(value)
  if (absolute < 1e6) return Math.round(value).toLocaleString('en-US')
  return scaled(value, 1000, ['', 'k', 'M', 'G', 'T', 'P'])
}

/** A rate: few digits, so that it can be read while it changes. */
export function rate(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE
  if (value === 0) return '0'
  if (Math.abs(value) < 10) return trimmed(value.toFixed(1))
  if (Math.abs(value) < 1000) return String(Math.round(value))
  return scaled(value, 1000, ['', 'k', 'M', 'G', 'T'])
}

/** Bytes, in powers of 1024 as Flink's pages have them. */
export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value) || value < 0) return NONE
  if (value < 1024) return `${Math.round(value)} B`
  return `${scaled(value, 1024, ['', 'K', 'M', 'G', 'T', 'P'])}B`
}

function scaled(value: number, base: number, units: string[]): string {
  let unit = 0
  let rest = value
  // 999.6 is a thousand by the time it is rounded.
  while (Math.abs(rest) >= base - 0.5 && unit < units.length - 1) {
    rest /= base
    unit += 1
  }
  const digits = Math.abs(rest) < 10 ? 2 : Math.abs(rest) < 100 ? 1 : 0
  return `${trimmed(rest.toFixed(digits))} ${units[unit]}`.trimEnd()
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** How long something took: two units at most. */
export function duration(millis: number | undefined): string {
  if (millis === undefined || !Number.isFinite(millis) || millis < 0) return NONE
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 10) return `${trimmed(seconds.toFixed(1))} s`
  const whole = Math.floor(seconds)
  const [days, hours, minutes, rest] =
    [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60]
  const units: [number, string][] = [[days, 'd'], [hours, 'h'], [minutes, 'min'], [rest, 's']]
  const first = units.findIndex(([number]) => number > 0)
  const shown = units.slice(first, first + 2).filter(([number]) => number > 0)
  return shown.map(([number, unit]) => `${number} ${unit}`).join(' ')
}

/** A moment in the time zone of the reader; -1 and 0 are none. */
export function time(millis: number | undefined, now = Date.now()): string {
  if (millis === undefined || !Number.isFinite(millis) || millis <= 0) return NONE
  const at = new Date(millis)
  const two = (number: number) => String(number).padStart(2, '0')
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const today = new Date(now)
  const isToday = at.toDateString() === today.toDateString()
  return isToday ? clock : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`
}

// Long.MIN_VALUE and Long.MAX_VALUE, which numbers of JavaScript only come near.
const LOWEST = -9.2e18
const HIGHEST = 9.2e18

/** A watermark: event time, which is no moment of this machine, so in UTC. */
export function watermark(value: number | string | undefined): string {
  const millis = typeof value === 'string' ? Number(value) : value
  if (millis === undefined || Number.isNaN(millis)) return NONE
  if (millis <= LOWEST) return 'none yet'
  if (millis >= HIGHEST) return 'end'
  const at = new Date(millis)
  if (Number.isNaN(at.getTime())) return String(millis)
  return at.toISOString().replace('T', ' ').replace(/(\.000)?Z$/, '')
}

/** Whether a watermark is a moment: neither before the first nor the end. */
export function isMoment(value: number | undefined): value is number {
  return value !== undefined && value > LOWEST && value < HIGHEST
}

/** A share of one, in percent. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return NONE
  const value = share * 100
  return value > 0 && value < 1 ? '<1 %' : `${Math.round(value)} %`
}

/** The beginning of an id. */
export function shortId(id: string): string {
  return id.length > 12 ? `${id.slice(0, 8)}…` : id
}

/** The lines of a vertex's description: its operators and how deep each is. Flink sends them as HTML. */
export function operators(description: string): { depth: number; name: string }[] {
  return description.split(/<br\s*\/?>/).filter((line) => line.trim() !== '').map((line) => {
    const indent = /^(\s*)([+:]-\s*)?/.exec(line)
    const depth = indent?.[2] ? Math.floor((indent[1]?.length ?? 0) / 3) + 1 : 0
    return { depth, name: unescape(line.slice(indent?.[0].length ?? 0)) }
  })
}

function unescape(text: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ', amp: '&' }
  return text.replace(/&(lt|gt|quot|#39|nbsp|amp);/g, (_, name: string) => entities[name] ?? '')
}

/** A number in a CSV or a JSON answer that may be "NaN". */
export function number(value: number | 'NaN' | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}
