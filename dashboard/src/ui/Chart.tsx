// A line chart over time, by uPlot. Colours come from the page, so that they follow its theme.

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { time } from '../format'
import { useTheme } from '../theme'

export interface Series {
  name: string
  values: (number | null)[]
}

export interface ChartProps {
  /** Seconds since 1970. */
  times: number[]
  series: Series[]
  format: (value: number) => string
  label: string
  height?: number
  /** Bars in place of lines, for what happens now and then; over numbers and not over time. */
  bars?: boolean
}

const COLOURS = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6', '--series-7', '--series-8']

export function Chart({ times, series, format, label, height = 180, bars = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const theme = useTheme()
  const names = series.map((one) => one.name).join('\n')
  const latest = useRef<{ data: uPlot.AlignedData; format: (value: number) => string }>({ data: [[]], format })
  latest.current = { data: [times, ...series.map((one) => one.values)], format }

  useEffect(() => {
    const element = place.current
    if (element === null) return
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string) => style.getPropertyValue(name).trim()
    const axis = { stroke: colour('--text-2'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' }
    const chart = new uPlot({
      width: Math.max(element.clientWidth, 120),
      height,
      cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      // One series has its name in the head of its panel.
      legend: { show: series.length > 1, live: true },
      scales: { x: { time: !bars, range: bars ? (_, low, high) => [(low ?? 0) - 0.6, (high ?? 0) + 0.6] : undefined }, y: { range: (_, low, high) => [Math.min(low ?? 0, 0), high === null || high <= 0 ? 1 : high * 1.1] } },
      axes: [
        { ...axis, space: 80, size: 28, values: (_, all) => all.map((value) => (!bars ? time(value * 1000) : Number.isInteger(value) ? String(value) : '')) },
        { ...axis, size: 64, space: 32, values: (_, all) => all.map((value) => latest.current.format(value)) },
      ],
      series: [
        { label: 'Time', value: (_: uPlot, value: number | null) => (value === null ? '–' : time(value * 1000)) },
        ...names.split('\n').map((name, index) => ({
          label: name,
          stroke: colour(COLOURS[index % COLOURS.length] ?? ''),
          fill: bars ? colour(COLOURS[index % COLOURS.length] ?? '') : undefined,
          width: bars ? 0 : 1.5,
          paths: bars ? uPlot.paths.bars?.({ size: [0.6, 24] }) : undefined,
          points: { show: false },
          value: (_: uPlot, value: number | null) => (value === null ? '–' : latest.current.format(value)),
        })),
      ],
    }, latest.current.data, element)
    plot.current = chart
    const observer = new ResizeObserver(() => chart.setSize({ width: Math.max(element.clientWidth, 120), height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = undefined
    }
  }, [names, theme, height, bars])

  useEffect(() => plot.current?.setData(latest.current.data))

  const told = series.map((one) => {
    const last = one.values.findLast((value) => value !== null)
    return `${one.name} ${last == null ? 'unknown' : format(last)}`
  })
  return <div class="chart" ref={place} role="img" aria-label={`${label}: ${told.join(', ')}`} />
}
