import { describe, expect, test } from 'vitest'
import { parts, planNodes } from './plan'
import { noRows, sign, tableRows, withRows } from './rows'
import { bytePosition, split, statementAt, wordBefore } from './split'

const texts = (script: string) => split(script).map((piece) => piece.text)

describe('scripts', () => {
  test('are cut at semicolons, but not within strings, names and comments', () => {
    expect(texts("SELECT 'a;b'; SELECT `c;d` -- e;f\n; /* g;h */ SELECT 1")).toEqual(["SELECT 'a;b'", 'SELECT `c;d` -- e;f', '/* g;h */ SELECT 1'])
    expect(texts("SELECT 'it''s;'; ; -- nothing\n")).toEqual(["SELECT 'it''s;'"])
    expect(texts("SELECT 'open; SELECT 2")).toEqual(["SELECT 'open; SELECT 2"])
  })
  test('a statement set is one', () => {
    const set = 'EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN x THEN 1 END FROM t; INSERT INTO b SELECT 2; END'
    expect(texts(`${set}; SELECT 3`)).toEqual([set, 'SELECT 3'])
    const old = 'BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END'
    expect(texts(`${old}; SELECT 3`)).toEqual([old, 'SELECT 3'])
  })
  test('the cursor is in one of them', () => {
    const script = 'SELECT 1;\nSELECT 2;\n\n'
    expect([0, 9, 11, 99].map((at) => statementAt(script, at)?.text)).toEqual(['SELECT 1', 'SELECT 1', 'SELECT 2', 'SELECT 2'])
    expect(statementAt('  ', 1)).toBeUndefined()
  })
  test('words before the cursor, and places in bytes', () => {
    expect(wordBefore('SELECT pä', 9)).toEqual({ from: 7, word: 'pä' })
    expect(wordBefore('a.', 2)).toEqual({ from: 2, word: '' })
    expect(bytePosition('ä€x', 2)).toBe(5)
  })
})

describe('rows', () => {
  test('changes make a table', () => {
    let rows = withRows(noRows(), [{ kind: 'INSERT', fields: ['a', '1'] }, { kind: 'INSERT', fields: ['b', null] }])
    expect(rows.updates).toBe(false)
    rows = withRows(rows, [{ kind: 'UPDATE_BEFORE', fields: ['a', '1'] }, { kind: 'UPDATE_AFTER', fields: ['a', '2'] }, { kind: 'INSERT', fields: ['b', null] }])
    expect(tableRows(rows)).toEqual([['b', null], ['b', null], ['a', '2']])
    expect([rows.total, rows.updates, rows.changes.length]).toEqual([5, true, 5])
    rows = withRows(rows, [{ kind: 'DELETE', fields: ['b', null] }])
    expect(tableRows(rows)).toEqual([['b', null], ['a', '2']])
  })
  test('a row that is taken back before it comes cancels out', () => {
    const rows = withRows(noRows(), [{ kind: 'DELETE', fields: ['a'] }, { kind: 'INSERT', fields: ['a'] }])
    expect(tableRows(rows)).toEqual([])
  })
  test('signs', () => expect((['INSERT', 'UPDATE_BEFORE', 'UPDATE_AFTER', 'DELETE'] as const).map(sign)).toEqual(['+I', '-U', '+U', '-D']))
})

test('the text of EXPLAIN is a graph, whose exchanges are edges', () => {
  const nodes = planNodes(`== Optimized Physical Plan ==
Wrong()
== Optimized Execution Plan ==
Sink(table=[t])
+- Join(where=[(a = b)])
   +- Exchange(distribution=[hash[a]])
   |  +- Scan(table=[x])
   +- Exchange(distribution=[hash[b]])
      +- Calc(select=[b])
         +- Scan(table=[y])
`)
  expect(nodes.map((node) => [node.description, node.inputs?.map((input) => `${nodes.find((from) => from.id === input.id)?.description} ${input.ship_strategy}`)])).toEqual([
    ['Sink(table=[t])', ['Join(where=[(a = b)]) ']],
    ['Join(where=[(a = b)])', ['Scan(table=[x]) hash[a]', 'Calc(select=[b]) hash[b]']],
    ['Scan(table=[x])', []],
    ['Calc(select=[b])', ['Scan(table=[y]) ']],
    ['Scan(table=[y])', []],
  ])
  expect(planNodes('nothing')).toEqual([])
  expect(parts('Calc(select=[b])')).toEqual({ name: 'Calc', rest: 'select=[b]' })
})
