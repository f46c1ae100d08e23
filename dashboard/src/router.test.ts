import { expect, test } from 'vitest'
import { href, parseRoute } from './router'

test('a route and its address are each other', () => {
  const address = href('jobs', 'a/b', 'graph', 7)
  expect(address).toBe('#/jobs/a%2Fb/graph/7')
  expect(parseRoute(address).parts).toEqual(['jobs', 'a/b', 'graph', '7'])
  expect(parseRoute(`${address}?vertex=x%20y`).query.get('vertex')).toBe('x y')
})

test('what is no address of ours is no error', () => {
  expect(parseRoute('').parts).toEqual([])
  expect(parseRoute('#/%E0%A4%A').parts).toEqual(['%E0%A4%A'])
})
