// Where statements begin and end, and which word stands before the cursor. Pure.

export interface Piece {
  from: number
  to: number
  text: string
}

/** Cuts a script at its semicolons, but not inside strings, quoted names, comments and statement sets. */
export function split(script: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  let isInSet = false
  let words: string[] = []
  const end = (to: number) => {
    const text = script.slice(from, to)
    const lead = text.length - text.trimStart().length
    if (words.length > 0) pieces.push({ from: from + lead, to: from + text.trimEnd().length, text: text.trim() })
    from = to + 1
    words = []
    isInSet = false
  }
  for (const token of tokens(script)) {
    if (token.kind === 'word') {
      words.push(token.text.toUpperCase())
      const [last, second, third] = [words.at(-1), words.at(-2), words.at(-3)]
      // EXECUTE STATEMENT SET BEGIN ... END, and the older BEGIN STATEMENT SET; ... END
      if ((last === 'BEGIN' && second === 'SET' && third === 'STATEMENT') || (last === 'SET' && second === 'STATEMENT' && third === 'BEGIN')) isInSet = true
      else if (last === 'END' && isInSet && token.startsStatement) isInSet = false
    } else if (token.kind === 'other') {
      words.push('')
    } else if (token.kind === 'semicolon' && !isInSet) {
      end(token.from)
    }
  }
  end(script.length)
  return pieces
}

interface Token {
  kind: 'word' | 'semicolon' | 'other'
  text: string
  from: number
  /** Whether it is the first after a semicolon, or after BEGIN. */
  startsStatement: boolean
}

function tokens(script: string): Token[] {
  const pattern = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|`(?:[^`]|``)*(?:`|$)|"(?:[^"]|"")*(?:"|$)|[\p{L}_$][\p{L}\p{N}_$]*|;|\S/gu
  const found: Token[] = []
  let starts = true
  for (const match of script.matchAll(pattern)) {
    const text = match[0]
    if (text.startsWith('--') || text.startsWith('/*')) continue
    const kind = text === ';' ? 'semicolon' : /^[\p{L}_$]/u.test(text) ? 'word' : 'other'
    found.push({ kind, text, from: match.index, startsStatement: starts })
    starts = kind === 'semicolon' || text.toUpperCase() === 'BEGIN'
  }
  return found
}

/** The statement that the cursor is in, or the one before it when it stands behind all. */
export function statementAt(script: string, cursor: number): Piece | undefined {
  const all = split(script)
  return all.find((piece) => cursor <= piece.to + 1) ?? all.at(-1)
}

/** The word that ends at the cursor, which a completion replaces. */
export function wordBefore(text: string, cursor: number): { from: number; word: string } {
  const word = /[\p{L}\p{N}_$]*$/u.exec(text.slice(0, cursor))?.[0] ?? ''
  return { from: cursor - word.length, word }
}

/** The position in bytes of UTF-8, as the server counts. */
export function bytePosition(text: string, cursor: number): number {
  return new TextEncoder().encode(text.slice(0, cursor)).length
}
