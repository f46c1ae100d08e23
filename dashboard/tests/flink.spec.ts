// Flink's own dashboard on our REST interface: its pages find what they ask for. Its files come from Maven (`make flink-dashboard`
// fetches them); without them there is nothing to test here.

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { test as base, expect, type Page } from '@playwright/test'
import { at, shoot } from './page'

const FILES = process.env.FLINK_WEB ?? ''
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.ico': 'image/x-icon', '.ttf': 'font/ttf' }

/** What it asks for and we do not have, each with what its page does without. */
const NOT_THERE = [
  /\/jars$/, // No artifacts are uploaded: its submit page is empty.
]

let server: Server
let url = ''

base.beforeAll(async () => {
  base.skip(FILES === '', "FLINK_WEB names the folder with Flink's dashboard")
  // One origin for its files and our answers, as in Flink.
  server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'))
    const file = join(FILES, path === '/' ? 'index.html' : path)
    if (file.startsWith(FILES) && extname(file) !== '' && existsSync(file)) {
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file))
      return
    }
    fetch(at.url + request.url, { method: request.method }).then(async (answer) => {
      response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? 'text/plain' }).end(Buffer.from(await answer.arrayBuffer()))
    }, (error: unknown) => response.writeHead(502).end(String(error)))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
})

base.afterAll(() => {
  server?.close()
})

const test = base.extend({
  page: async ({ page }, use) => {
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(String(error)))
    page.on('response', (response) => {
      const path = new URL(response.url()).pathname
      if (response.status() >= 400 && !NOT_THERE.some((one) => one.test(path))) wrong.push(`${response.status()} ${path}`)
    })
    await use(page)
    expect([...new Set(wrong)]).toEqual([])
  },
})

const PAGES: { name: string; route: () => string; ready: (page: Page) => Promise<void> }[] = [
  {
    name: 'overview',
    route: () => '/overview',
    async ready(page) {
      await expect(page.getByText('Nexmark').first()).toBeVisible()
      await expect(page.getByText('flights').first()).toBeVisible()
    },
  },
  {
    name: 'job',
    route: () => `/job/running/${at.running}/overview`,
    async ready(page) {
      await expect(page.locator('svg .node, svg [id^="node"], flink-node, foreignObject').first()).toBeVisible()
      await expect(page.getByText('TableSourceScan').first()).toBeVisible()
      await expect(page.getByText('Backpressured').first()).toBeVisible()
    },
  },
  { name: 'checkpoints', route: () => `/job/running/${at.running}/checkpoints`, ready: (page) => expect(page.getByText('Latest Completed Checkpoint').first()).toBeVisible() },
  { name: 'exceptions', route: () => `/job/completed/${at.failed}/exceptions`, ready: (page) => expect(page.getByText('damaged.csv.gz').first()).toBeVisible() },
  { name: 'timeline', route: () => `/job/running/${at.running}/timeline`, ready: (page) => expect(page.locator('canvas').first()).toBeVisible() },
  { name: 'configuration', route: () => `/job/running/${at.running}/configuration`, ready: (page) => expect(page.getByText('Execution Mode').or(page.getByText('Max. number of execution retries')).first()).toBeVisible() },
  { name: 'taskmanagers', route: () => '/task-manager', ready: (page) => expect(page.getByText('taskmanager-').first()).toBeVisible() },
  { name: 'jobmanager', route: () => '/job-manager/config', ready: (page) => expect(page.getByText('execution.checkpointing.savepoint-dir').first()).toBeVisible() },
]

for (const { name, route, ready } of PAGES) {
  test(`Flink's ${name}`, async ({ page }) => {
    await page.goto(`${url}/#${route()}`)
    await ready(page)
    await shoot(page, `flink-${name}`)
  })
}
