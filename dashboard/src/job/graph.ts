// The graph of a job, from the plan to places on the page. Pure.

import { graphlib, layout as dagre } from '@dagrejs/dagre'
import type { PlanNode } from '../types'

export interface Sizes {
  width: number
  height: number
}

export interface Edge {
  /** Two vertices may have several edges between them. */
  key: string
  from: string
  to: string
  strategy: string
}

export interface Point {
  x: number
  y: number
}

export interface Layout extends Sizes {
  /** The upper left corner of each vertex. */
  places: Map<string, Point>
  edges: (Edge & { points: Point[]; middle: Point })[]
}

/** The edges of a plan; an input that is not in the plan is left out. */
export function edgesOf(nodes: PlanNode[]): Edge[] {
  const known = new Set(nodes.map((node) => node.id))
  return nodes.flatMap((node) =>
    (node.inputs ?? []).filter((input) => known.has(input.id)).map((input) => ({
      key: `${input.id}>${node.id}#${input.num}`,
      from: input.id,
      to: node.id,
      strategy: input.ship_strategy,
    })))
}

/** What a layout depends on: it is computed anew only when this changes. */
export function layoutKey(nodes: PlanNode[]): string {
  return [...nodes.map((node) => node.id), ...edgesOf(nodes).map((edge) => edge.key)].join('|')
}

/** Places vertices from left to right, or from top to bottom. */
export function layout(nodes: PlanNode[], node: Sizes, direction: 'LR' | 'TB'): Layout {
  const graph = new graphlib.Graph({ multigraph: true })
  graph.setGraph({ rankdir: direction, nodesep: 28, ranksep: direction === 'LR' ? 84 : 56, edgesep: 16, marginx: 12, marginy: 12 })
  graph.setDefaultEdgeLabel(() => ({}))
  // Senders first: the plan has receivers first, and the layout keeps the order that it is given.
  for (const { id } of [...nodes].reverse()) graph.setNode(id, { ...node })
  const edges = edgesOf(nodes)
  for (const edge of edges) graph.setEdge(edge.from, edge.to, {}, edge.key)
  dagre(graph)
  const places = new Map(nodes.map(({ id }) => {
    const at = graph.node(id) as unknown as Point
    return [id, { x: at.x - node.width / 2, y: at.y - node.height / 2 }]
  }))
  const label = graph.graph() as { width?: number; height?: number }
  return {
    width: label.width ?? 0,
    height: label.height ?? 0,
    places,
    edges: edges.map((edge) => {
      const points = (graph.edge(edge.from, edge.to, edge.key) as unknown as { points: Point[] }).points
      return { ...edge, points, middle: points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 } }
    }),
  }
}

/** A smooth line through points, as the path of an SVG. */
export function path(points: Point[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  if (rest.length === 1) return `M${at(first)}L${at(rest[0] as Point)}`
  let drawn = `M${at(first)}`
  rest.forEach((point, index) => {
    const next = rest[index + 1]
    if (next === undefined) drawn += `L${at(point)}`
    else drawn += `Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`
  })
  return drawn
}

function at({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`
}
