// Requests to the JobManager. All go to where the page came from.

/** What went wrong. `status` is 0 if there was no answer. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message)
  }
}

const TOKEN = 'flott.token'
/** Longer than any answer takes; a connection that hangs must not stop a page for ever. */
const PATIENCE = 20_000

let asksForToken: () => void = () => {}
/** Who shows that a token is needed. */
export function onUnauthorized(listener: () => void): void {
  asksForToken = listener
}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN, token)
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const { response, text } = await exchange(method, path, body, signal)
  let answer: unknown
  try {
    answer = text === '' ? {} : JSON.parse(text)
  } catch {
    throw new ApiError(response.status, `The answer to ${path} is not JSON (status ${response.status}).`)
  }
  if (!response.ok) throw new ApiError(response.status, messageOf(answer) ?? `Status ${response.status}.`)
  return answer as T
}

/** An answer that is text. */
export async function text(path: string, signal?: AbortSignal): Promise<string> {
  const { response, text } = await exchange('GET', path, undefined, signal)
  if (!response.ok) throw new ApiError(response.status, `Status ${response.status}.`)
  return text
}

async function exchange(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<{ response: Response; text: string }> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  const token = sessionStorage.getItem(TOKEN)
  if (token) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const patience = AbortSignal.timeout(PATIENCE)
  let response: Response
  let text: string
  try {
    response = await fetch(`.${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      cache: 'no-store',
    })
    text = await response.text()
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'The JobManager cannot be reached.')
  }
  if (response.status === 401) asksForToken()
  return { response, text }
}

function messageOf(answer: unknown): string | undefined {
  const errors = (answer as { errors?: unknown[] } | null)?.errors
  return Array.isArray(errors) ? errors.map(String).join('\n') : undefined
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, undefined, signal)
export const post = <T>(path: string, body: unknown = {}) => request<T>('POST', path, body)
export const patch = <T>(path: string) => request<T>('PATCH', path)
export const remove = <T>(path: string) => request<T>('DELETE', path)
