// Every page, on a cluster that runs: what it shows, how it looks, that everybody can use it.

import type { Page } from '@playwright/test'
import { at, check, expect, open, shoot, test } from './page'

interface Shown {
  name: string
  route: () => string
  /** Waits for what the page is about. */
  ready: (page: Page) => Promise<void>
}

const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

const PAGES: Shown[] = [
  {
    name: 'overview',
    route: () => 'overview',
    async ready(page) {
      await expect(region(page, 'Running jobs').getByRole('link', { name: /Nexmark/ })).toBeVisible()
      await expect(region(page, 'Completed jobs').getByRole('link', { name: 'flights' })).toBeVisible()
      await expect(page.getByText('failed').first()).toBeVisible()
      await expect(page.locator('.stat', { hasText: 'TaskManagers' }).locator('.stat-value')).toHaveText('2')
    },
  },
  {
    name: 'job-graph',
    route: () => `jobs/${at.running}`,
    async ready(page) {
      await expect(page.getByRole('heading', { level: 1, name: /Nexmark/ })).toBeVisible()
      const nodes = page.locator('.node')
      await expect(nodes.first()).toBeVisible()
      expect(await nodes.count()).toBeGreaterThan(2)
      // Records flow, time goes on.
      await expect(page.locator('.node .loadbar:not(.none)').first()).toBeVisible()
      await expect(page.locator('.edge.flows')).not.toHaveCount(0)
      await expect(page.locator('.node-figures', { hasText: /20\d\d-\d\d-\d\d/ }).first()).toBeVisible()
    },
  },
  {
    name: 'job-vertex',
    route: () => `jobs/${at.running}`,
    async ready(page) {
      await page.locator('.node').nth(1).click()
      await expect(page).toHaveURL(/graph\/[0-9a-f]{32}$/)
      const rows = region(page, 'Subtasks').locator('tbody tr')
      await expect(rows).toHaveCount(2)
      await expect(rows.first().getByText('running')).toBeVisible()
      await expect(rows.first().getByRole('link', { name: /^taskmanager-/ })).toBeVisible()
      await expect(rows.first().getByRole('img', { name: /busy \d+ %/ })).toBeVisible()
    },
  },
  {
    name: 'job-timeline',
    route: () => `jobs/${at.running}/timeline`,
    async ready(page) {
      await expect(page.getByRole('img', { name: /Job running/ })).toBeVisible()
      await page.locator('.t-name button').first().click()
      await expect(page.getByText('Subtask 1')).toBeVisible()
    },
  },
  {
    name: 'job-exceptions-none',
    route: () => `jobs/${at.running}/exceptions`,
    ready: (page) => expect(page.getByText('No exception')).toBeVisible(),
  },
  {
    name: 'job-exceptions',
    route: () => `jobs/${at.failed}/exceptions`,
    async ready(page) {
      await expect(page.getByRole('heading', { name: 'Root cause' })).toBeVisible()
      await expect(page.locator('pre').first()).toContainText('damaged.csv.gz')
      await expect(page.locator('details.exception').first()).toBeVisible()
    },
  },
  {
    name: 'job-checkpoints',
    route: () => `jobs/${at.running}/checkpoints`,
    async ready(page) {
      await expect(region(page, 'Checkpoints').getByText('completed').first()).toBeVisible()
      await expect(page.getByRole('img', { name: /^Duration of checkpoints: Duration \d/ })).toBeVisible()
      await expect(region(page, 'Summary').getByRole('rowheader', { name: 'Size' })).toBeVisible()
    },
  },
  {
    name: 'job-checkpoint',
    route: () => `jobs/${at.running}/checkpoints`,
    async ready(page) {
      const done = region(page, 'Checkpoints').locator('tr', { hasText: 'completed' }).first()
      await done.getByRole('link').click()
      const vertices = region(page, 'Vertices of the checkpoint')
      await expect(vertices.getByText('2 of 2').first()).toBeVisible()
      await vertices.getByRole('button').first().click()
      await expect(region(page, 'Subtasks of the checkpoint').locator('tbody tr')).toHaveCount(2)
    },
  },
  {
    name: 'job-metrics',
    route: () => `jobs/${at.running}/metrics`,
    async ready(page) {
      // A chart of several values, which come one after the other.
      await expect(page.locator('.chart canvas').first()).toBeVisible()
      await expect(page.locator('.panel', { hasText: 'numRecordsOutPerSecond' }).getByRole('img').first()).toHaveAttribute('aria-label', /#0 [\d.]+ ?k?, #1 [\d.]+/)
      await page.getByLabel('Filter metrics').fill('accumulate')
      await page.getByRole('button', { name: '+ accumulateIdleTimeMs' }).click()
      await expect(page.getByRole('img', { name: /^accumulateIdleTimeMs: #0/ })).toBeVisible()
      await page.getByRole('button', { name: 'Remove accumulateIdleTimeMs' }).click()
      await page.getByLabel('Filter metrics').fill('')
    },
  },
  {
    name: 'job-configuration',
    route: () => `jobs/${at.running}/configuration`,
    async ready(page) {
      await expect(region(page, 'Execution').getByText('job-parallelism')).toBeVisible()
      await expect(region(page, 'Checkpoints').getByText('exactly_once')).toBeVisible()
    },
  },
  {
    name: 'job-finished',
    route: () => `jobs/${at.finished}`,
    async ready(page) {
      await expect(page.locator('.node .node-state').first()).toHaveText('finished')
      await expect(page.getByRole('button', { name: 'Cancel' })).toHaveCount(0)
    },
  },
  {
    name: 'taskmanagers',
    route: () => 'taskmanagers',
    ready: (page) => expect(region(page, 'TaskManagers').locator('tbody tr')).toHaveCount(2),
  },
  {
    name: 'taskmanager',
    route: () => 'taskmanagers',
    async ready(page) {
      await region(page, 'TaskManagers').getByRole('link').first().click()
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^taskmanager-/)
      await expect(page.getByRole('heading', { name: /^Tasks/ })).toBeVisible()
      await expect(region(page, 'Threads of the process').getByText(/^taskmanager-/)).toBeVisible()
      await expect(page.locator('.stat', { hasText: 'Resident memory' })).toBeVisible()
      await expect(page.getByRole('heading', { name: 'Log' })).toBeVisible()
      await expect(page.locator('.loading')).toHaveCount(0)
    },
  },
  {
    name: 'jobmanager',
    route: () => 'jobmanager',
    ready: (page) => expect(region(page, 'Configuration').getByText('execution.checkpointing.savepoint-dir')).toBeVisible(),
  },
  {
    name: 'sql',
    route: () => 'sql',
    ready: (page) => expect(page.getByRole('textbox', { name: 'SQL' })).toBeVisible(),
  },
  {
    name: 'missing',
    route: () => 'nothing',
    ready: (page) => expect(page.getByText('There is no such page')).toBeVisible(),
  },
]

for (const { name, route, ready } of PAGES) {
  test(`${name}, light and dark`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: 'light' })
    await open(page, route())
    await ready(page)
    await check(page)
    await shoot(page, name)
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await check(page)
    await shoot(page, `${name}-dark`)
    // A reload stays where it is.
    const url = page.url()
    const headings = page.getByRole('heading', { level: 1 })
    const told = await headings.allTextContents()
    await page.reload()
    expect(page.url()).toBe(url)
    await expect(headings).toHaveText(told)
  })

  test(`${name}, on a phone`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 780 })
    await open(page, route())
    await ready(page)
    await check(page)
    await shoot(page, `${name}-phone`)
  })
}
