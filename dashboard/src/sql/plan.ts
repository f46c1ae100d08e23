// EXPLAIN's text as a graph. Pure.

import type { PlanNode } from '../types'

/** The operators of the optimised execution plan, as the nodes of a graph; none if the text has no such plan. */
export function planNodes(text: string): PlanNode[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => /^== Optimized Execution Plan ==/.test(line))
  if (start < 0) return []
  const nodes: PlanNode[] = []
  // The last node of each depth: the parent of what is one deeper.
  const above: PlanNode[] = []
  for (const line of lines.slice(start + 1)) {
    if (line.trim() === '') continue
    if (line.startsWith('==')) break
    const [, indent = '', rest = ''] = /^([ :|]*(?:\+- )?)(.*)$/.exec(line) ?? []
    const depth = indent.endsWith('+- ') ? indent.length / 3 : 0
    const node: PlanNode = { id: String(nodes.length), parallelism: 1, description: rest, inputs: [] }
    nodes.push(node)
    above[depth] = node
    const parent = depth > 0 ? above[depth - 1] : undefined
    parent?.inputs?.push({ id: node.id, num: parent.inputs.length, ship_strategy: '', exchange: '' })
  }
  return merged(nodes)
}

/** Exchanges are edges with a label, and no operators of their own. */
function merged(nodes: PlanNode[]): PlanNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const exchange = (node: PlanNode) => /^Exchange\(distribution=\[(.*)\]\)/.exec(node.description)
  for (const node of nodes) {
    node.inputs = node.inputs?.map((input) => {
      const from = byId.get(input.id)
      const found = from && exchange(from)
      const sender = found ? from.inputs?.[0]?.id : undefined
      return sender === undefined ? input : { ...input, id: sender, ship_strategy: found?.[1] ?? '' }
    })
  }
  return nodes.filter((node) => !exchange(node) || (node.inputs?.length ?? 0) === 0)
}

/** What an operator is, and the rest of its description. */
export function parts(description: string): { name: string; rest: string } {
  const [, name = description, rest = ''] = /^([^(]+)\((.*)\)$/.exec(description) ?? []
  return { name, rest }
}
