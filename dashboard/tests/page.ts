// What every test of a page has: it fails if the page says an error, or asks anybody but the JobManager.

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test as base } from '@playwright/test'

const SHOTS = resolve(process.env.DASHBOARD_SHOTS ?? resolve(import.meta.dirname, '../../target/dashboard'))
mkdirSync(SHOTS, { recursive: true })

export const at = {
  get url() { return process.env.FLOTT_URL ?? '' },
  get running() { return process.env.JOB_RUNNING ?? '' },
  get finished() { return process.env.JOB_FINISHED ?? '' },
  get failed() { return process.env.JOB_FAILED ?? '' },
  get folder() { return process.env.FLOTT_FOLDER ?? '' },
}

/** What a page may say without failing its test: of answers that the test itself spoils. */
export const test = base.extend<{ tolerated: RegExp[] }>({
  tolerated: [async ({}, use) => use([]), { option: true }],
  page: async ({ page, tolerated }, use) => {
    const wrong: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' && !tolerated.some((one) => one.test(message.text()))) wrong.push(message.text())
    })
    page.on('pageerror', (error) => wrong.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(at.url) && !request.url().startsWith('data:')) wrong.push(`asks ${request.url()}`)
    })
    await use(page)
    expect(wrong).toEqual([])
  },
})

export { expect }

export async function open(page: Page, route: string): Promise<void> {
  await page.goto(`${at.url}/#/${route}`)
}

export async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0))
  await page.screenshot({ path: resolve(SHOTS, `${name}.png`), fullPage: true, animations: 'disabled' })
}

/** No violation that axe calls serious or critical; and nothing is wider than the page. */
export async function check(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).slice(0, 3).join('; ')}`)).toEqual([])
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(excess, 'the page scrolls sideways').toBeLessThanOrEqual(0)
}
