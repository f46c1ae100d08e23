import { describe, expect, test } from 'vitest'
import { bytes, count, duration, operators, percent, rate, shortId, time, watermark } from './format'

describe('numbers', () => {
  test('counts are whole up to a million', () => {
    expect([0, 999, 27_004, 1_234_567, 999_999_999].map(count)).toEqual(['0', '999', '27,004', '1.23 M', '1 G'])
    expect(count(undefined)).toBe('–')
  })
  test('rates have few digits', () => {
    expect([0, 0.25, 9.96, 12.4, 999.4, 1000, 123_456].map(rate)).toEqual(['0', '0.3', '10', '12', '999', '1 k', '123 k'])
    expect(rate(Number.NaN)).toBe('–')
  })
  test('bytes are in powers of 1024', () => {
    expect([0, 1023, 1024, 1536, 10 * 1024 * 1024, 1023.9 * 1024].map(bytes)).toEqual(['0 B', '1023 B', '1 KB', '1.5 KB', '10 MB', '1 MB'])
    expect(bytes(-1)).toBe('–')
  })
  test('shares', () => {
    expect([0, 0.004, 0.5, 1].map(percent)).toEqual(['0 %', '<1 %', '50 %', '100 %'])
  })
})

describe('time', () => {
  test('durations have two units at most', () => {
    expect([0, 999, 1500, 61_000, 3_600_000, 90_000_000].map(duration)).toEqual(['0 ms', '999 ms', '1.5 s', '1 min 1 s', '1 h', '1 d 1 h'])
    expect(duration(-1)).toBe('–')
  })
  test('a moment of today is a time of day', () => {
    const now = new Date(2026, 4, 3, 12, 30).getTime()
    expect(time(new Date(2026, 4, 3, 8, 5, 9).getTime(), now)).toBe('08:05:09')
    expect(time(new Date(2026, 4, 2, 8, 5, 9).getTime(), now)).toBe('2026-05-02 08:05:09')
    expect([time(-1), time(0)]).toEqual(['–', '–'])
  })
  test('watermarks are event time in UTC', () => {
    expect(watermark('-9223372036854775808')).toBe('none yet')
    expect(watermark('9223372036854775807')).toBe('end')
    expect(watermark(1359676800000)).toBe('2013-02-01 00:00:00')
    expect(watermark(1359676800123)).toBe('2013-02-01 00:00:00.123')
    expect(watermark(8.7e15)).toBe('8700000000000000')
    expect(watermark(undefined)).toBe('–')
  })
})

describe('names', () => {
  test('ids are cut', () => expect(shortId('0123456789abcdef0123456789abcdef')).toBe('01234567…'))
  test('operators of a chain, from HTML', () => {
    expect(operators('Source: a &lt;b&gt;<br/>+- Calc(x &amp;amp; y)<br/>   +- Sink<br/>')).toEqual([
      { depth: 0, name: 'Source: a <b>' }, { depth: 1, name: 'Calc(x &amp; y)' }, { depth: 2, name: 'Sink' },
    ])
  })
})
