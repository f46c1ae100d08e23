// What EXPLAIN answers, as a graph from sources to sinks.

import { useMemo } from 'preact/hooks'
import { layout, path } from '../job/graph'
import { Scroll } from '../ui/parts'
import { parts, planNodes } from './plan'

const NODE = { width: 210, height: 74 }

export function PlanGraph({ text }: { text: string }) {
  const nodes = useMemo(() => planNodes(text), [text])
  const drawn = useMemo(() => layout(nodes, NODE, 'LR'), [nodes])
  if (nodes.length === 0) return null
  return (
    <Scroll label="Execution plan" class="plan-graph">
      <div class="graph-size" style={{ width: `${drawn.width}px`, height: `${drawn.height}px` }}>
        <svg width={drawn.width} height={drawn.height} aria-hidden="true">
          {drawn.edges.map((edge) => <path key={edge.key} d={path(edge.points)} class="edge" stroke-width="1.5" />)}
          {drawn.edges.map((edge) => edge.strategy !== '' && <text key={edge.key} x={edge.middle.x} y={edge.middle.y - 6} class="strategy">{edge.strategy}</text>)}
        </svg>
        {nodes.map((node) => {
          const at = drawn.places.get(node.id)
          const { name, rest } = parts(node.description)
          return at && (
            <div key={node.id} class="node plan" title={node.description} style={{ left: `${at.x}px`, top: `${at.y}px`, width: `${NODE.width}px`, height: `${NODE.height}px` }}>
              <span class="node-name">{name}</span>
              <span class="plan-rest">{rest}</span>
            </div>
          )
        })}
      </div>
    </Scroll>
  )
}
