// A table of keys and values, with a filter.

import { useState } from 'preact/hooks'
import { Empty, Filter, Panel, Scroll } from './parts'

export function KeyValues({ title, entries, empty }: { title: string; entries: [string, string][]; empty: string }) {
  const [filter, setFilter] = useState('')
  const shown = entries.filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(filter.toLowerCase())).sort(([a], [b]) => a.localeCompare(b))
  return (
    <Panel flush title={<>{title} <span class="number">{entries.length}</span></>}
      aside={entries.length > 8 && <Filter value={filter} onValue={setFilter} label={`Filter ${title.toLowerCase()}`} />}>
      {shown.length === 0
        ? <Empty title={entries.length === 0 ? empty : 'Nothing matches the filter'} />
        : (
          <Scroll label={title}>
            <table class="keyvalues">
              <thead><tr><th>Key</th><th>Value</th></tr></thead>
              <tbody>{shown.map(([key, value]) => <tr key={key}><td><code>{key}</code></td><td><code>{value}</code></td></tr>)}</tbody>
            </table>
          </Scroll>
        )}
    </Panel>
  )
}
