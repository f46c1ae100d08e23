// A cluster for the tests: a JobManager, two TaskManagers, a job that runs (Nexmark), one that has finished (the flights), one
// that has failed, all as a user starts them.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const BINARY = resolve(process.env.FLOTT_BIN ?? join(ROOT, 'target/debug/flott'))
/** Longer than anything takes on a busy machine. */
const PATIENCE = 120_000

/** An open-ended auction site: windows, a join, keyed state, event time. */
const NEXMARK = `
  SET 'pipeline.name' = 'Nexmark: bids of each auction by the minute, with the category of the auction and the highest price';
  SET 'parallelism.default' = '2';
  SET 'execution.checkpointing.interval' = '5 s';
  CREATE TABLE nexmark (
    event_type INT,
    person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, \`dateTime\` TIMESTAMP(3), extra STRING>,
    auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, \`dateTime\` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
    bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, \`dateTime\` TIMESTAMP(3), extra STRING>,
    \`dateTime\` AS CASE WHEN event_type = 0 THEN person.\`dateTime\` WHEN event_type = 1 THEN auction.\`dateTime\` ELSE bid.\`dateTime\` END,
    WATERMARK FOR \`dateTime\` AS \`dateTime\` - INTERVAL '4' SECOND
  ) WITH ('connector' = 'nexmark', 'first-event.rate' = '2000', 'next-event.rate' = '2000', 'rate.limited' = 'true', 'base-time' = 'now');
  CREATE VIEW bids AS SELECT bid.auction, bid.price, \`dateTime\` FROM nexmark WHERE event_type = 2;
  CREATE VIEW auctions AS SELECT auction.id, auction.category FROM nexmark WHERE event_type = 1;
  CREATE TABLE by_minute (window_start TIMESTAMP(3), auction BIGINT, bids BIGINT, highest BIGINT) WITH ('connector' = 'blackhole');
  CREATE TABLE by_category (category BIGINT, bids BIGINT, highest BIGINT) WITH ('connector' = 'blackhole');
  EXECUTE STATEMENT SET BEGIN
    INSERT INTO by_minute SELECT window_start, auction, COUNT(*), MAX(price)
      FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, auction;
    INSERT INTO by_category SELECT category, COUNT(*), MAX(price) FROM bids JOIN auctions ON auction = id GROUP BY category;
  END;`

/** Reads a file that is not what its name says. */
const failing = (folder: string) => `
  SET 'pipeline.name' = 'reads a damaged file';
  SET 'restart-strategy.type' = 'fixed-delay';
  SET 'restart-strategy.fixed-delay.attempts' = '2';
  SET 'restart-strategy.fixed-delay.delay' = '100 ms';
  CREATE TABLE damaged (k INT) WITH ('connector' = 'filesystem', 'path' = '${folder}/damaged.csv.gz', 'format' = 'csv');
  CREATE TABLE nowhere (k INT) WITH ('connector' = 'blackhole');
  INSERT INTO nowhere SELECT k FROM damaged;`

const children: ChildProcess[] = []

/** Starts a process, and answers what it has said once it says this. */
function start(args: string[], says: string): Promise<string> {
  const child = spawn(BINARY, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  children.push(child)
  return new Promise((found, failed) => {
    let told = ''
    const timer = setTimeout(() => failed(new Error(`${args.join(' ')} does not say "${says}": ${told}`)), PATIENCE)
    child.stderr?.on('data', (data: Buffer) => {
      told += data.toString()
      if (!told.split('\n').slice(0, -1).some((line) => line.includes(says))) return
      clearTimeout(timer)
      found(told)
    })
    child.on('exit', (status) => {
      clearTimeout(timer)
      failed(new Error(`${args.join(' ')} ended with ${status}: ${told}`))
    })
  })
}

function after(told: string, says: string): string {
  return told.split(says)[1]?.split('\n')[0]?.trim() ?? ''
}

/** Submits a script, and answers the id of its job. */
function submit(url: string, ...script: string[]): string {
  const run = spawnSync(BINARY, ['sql', '--cluster', url, '--detached', ...script], { cwd: ROOT, encoding: 'utf8', timeout: PATIENCE })
  const id = /Job ID: ([0-9a-f]{32})/.exec(run.stderr)?.[1]
  if (id === undefined) throw new Error(`no job was submitted (${run.status}): ${run.stderr}`)
  return id
}

/** Asks until an answer holds. */
export async function until<T>(url: string, holds: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE
  for (;;) {
    const answer = (await (await fetch(url)).json()) as T
    if (holds(answer)) return answer
    if (Date.now() > deadline) throw new Error(`${url} stays ${JSON.stringify(answer).slice(0, 2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

export default async function setUp(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'flott-dashboard-'))
  const end = async () => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(timer)
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    writeFileSync(join(folder, 'damaged.csv.gz'), 'not compressed')
    const told = await start(['jobmanager', '-Drest.port=0', '-Djobmanager.rpc.port=0', `-Dexecution.checkpointing.dir=${folder}/checkpoints`,
      `-Dexecution.checkpointing.savepoint-dir=${folder}/savepoints`], 'REST: ')
    const url = after(told, 'REST: ')
    const rpc = after(told, 'JobManager: ').split(':').at(-1)
    await Promise.all([0, 1].map(() => start(['taskmanager', `-Djobmanager.rpc.port=${rpc}`, '-Dtaskmanager.numberOfTaskSlots=8'], 'TaskManager: ')))
    await until<{ taskmanagers: number }>(`${url}/overview`, (all) => all.taskmanagers === 2)
    const running = submit(url, '-e', NEXMARK)
    const finished = submit(url, '-f', 'examples/flights/flights.sql')
    const failed = submit(url, '-e', failing(folder))
    for (const [id, state] of [[finished, 'FINISHED'], [failed, 'FAILED'], [running, 'RUNNING']]) {
      await until<{ state: string }>(`${url}/jobs/${id}`, (job) => job.state === state)
    }
    await until<{ counts: { completed: number } }>(`${url}/jobs/${running}/checkpoints`, (all) => all.counts.completed >= 2)
    Object.assign(process.env, { FLOTT_URL: url, JOB_RUNNING: running, JOB_FINISHED: finished, JOB_FAILED: failed, FLOTT_FOLDER: folder })
    return end
  } catch (error) {
    await end()
    throw error
  }
}
