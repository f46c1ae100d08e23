// A text field for SQL: with completion of keywords and names, and nothing that a text field does not have.

import { useRef, useState } from 'preact/hooks'
import { candidates } from './session'
import { bytePosition, wordBefore } from './split'

interface Menu {
  from: number
  words: string[]
  chosen: number
  left: number
  top: number
}

export function Editor({ text, onText, onRun }: {
  text: string
  onText: (text: string) => void
  /** With what is selected, and where the cursor is. */
  onRun: (selection: string, cursor: number) => void
}) {
  const field = useRef<HTMLTextAreaElement>(null)
  const [menu, setMenu] = useState<Menu>()
  const asked = useRef(0)

  const suggest = async (value: string, cursor: number, isWanted: boolean) => {
    const { from, word } = wordBefore(value, cursor)
    const number = ++asked.current
    if (word.length < 2 && !isWanted && value[from - 1] !== '.') return setMenu(undefined)
    const words = await candidates(value, bytePosition(value, cursor)).catch(() => [])
    if (number !== asked.current || field.current === null) return
    const useful = words.filter((one) => one !== word).slice(0, 50)
    setMenu(useful.length === 0 ? undefined : { from, words: useful, chosen: 0, ...placeOf(field.current, value, from) })
  }

  const take = (word: string) => {
    const element = field.current
    if (element === null || menu === undefined) return
    element.focus()
    element.setSelectionRange(menu.from, element.selectionEnd)
    // Unlike setting the value, this can be undone; where a browser does not have it, the value is set.
    if (!document.execCommand('insertText', false, word)) element.setRangeText(word, menu.from, element.selectionEnd, 'end')
    onText(element.value)
    asked.current += 1
    setMenu(undefined)
  }

  const pressed = (event: KeyboardEvent) => {
    const element = field.current
    if (element === null) return
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      setMenu(undefined)
      onRun(element.value.slice(element.selectionStart, element.selectionEnd), element.selectionStart)
    } else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault()
      void suggest(element.value, element.selectionStart, true)
    } else if (menu !== undefined) {
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
      if (step !== 0) {
        event.preventDefault()
        setMenu({ ...menu, chosen: (menu.chosen + step + menu.words.length) % menu.words.length })
      } else if (event.key === 'Tab' || event.key === 'Enter') {
        event.preventDefault()
        take(menu.words[menu.chosen] ?? '')
      } else if (event.key === 'Escape') {
        event.preventDefault()
        setMenu(undefined)
      }
    }
  }

  return (
    <div class="sql-editor">
      <textarea ref={field} value={text} spellcheck={false} autocapitalize="off" autocomplete="off" aria-label="SQL"
        placeholder="SELECT …" aria-controls={menu ? 'completions' : undefined} aria-activedescendant={menu ? `completion-${menu.chosen}` : undefined}
        onInput={(event) => {
          onText(event.currentTarget.value)
          void suggest(event.currentTarget.value, event.currentTarget.selectionStart, false)
        }}
        onKeyDown={pressed} onBlur={() => setMenu(undefined)} onClick={() => setMenu(undefined)} />
      {menu && (
        <ul class="completions" id="completions" role="listbox" aria-label="Completions" style={{ left: `${menu.left}px`, top: `${menu.top}px` }}>
          {menu.words.map((word, index) => (
            <li key={word} id={`completion-${index}`} role="option" aria-selected={index === menu.chosen}
              ref={(element) => { if (index === menu.chosen) element?.scrollIntoView({ block: 'nearest' }) }}
              onMouseDown={(event) => { event.preventDefault(); take(word) }}>{word}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** Where a character of the field is, measured on a copy of it. */
function placeOf(field: HTMLTextAreaElement, text: string, position: number): { left: number; top: number } {
  const copy = document.createElement('div')
  const style = getComputedStyle(field)
  for (const property of ['font', 'padding', 'border', 'width', 'white-space', 'overflow-wrap', 'tab-size', 'box-sizing']) {
    copy.style.setProperty(property, style.getPropertyValue(property))
  }
  copy.style.position = 'absolute'
  copy.style.visibility = 'hidden'
  copy.textContent = text.slice(0, position)
  const mark = document.createElement('span')
  mark.textContent = '​'
  copy.append(mark)
  field.parentElement?.append(copy)
  const place = { left: Math.min(mark.offsetLeft, Math.max(field.clientWidth - 200, 0)), top: mark.offsetTop + 22 - field.scrollTop }
  copy.remove()
  return place
}
