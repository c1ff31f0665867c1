import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'

/** The playground as a newcomer meets it: started by its own command, driven in a real browser. Screenshots are kept as build output. */
const shots = resolve(import.meta.dirname, '../../.build/screenshots')
const wide = { width: 1440, height: 1000 }
const narrow = { width: 420, height: 900 }

let home: string
let playground: ChildProcess
let browser: Browser
let page: Page
let url: string
let said = ''

beforeAll(async () => {
  await mkdir(shots, { recursive: true })
  home = await mkdtemp(join(tmpdir(), 'lk-'))
  playground = spawn(
    process.execPath,
    [resolve(import.meta.dirname, '../../playground/start.ts'), '--home', home, '--port', '0', '--temporary'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  playground.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  url = await new Promise<string>((done, failed) => {
    playground.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /Open (http\S+)/.exec(said)?.[1]
      if (found !== undefined) done(found)
    })
    playground.once('exit', () => failed(new Error(`the playground did not start:\n${said}`)))
  })
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  page = await browser.newPage({ viewport: wide })
  page.setDefaultTimeout(30_000)
  await page.goto(url)
})

afterAll(async () => {
  await browser?.close()
  if (playground?.exitCode === null) {
    const ended = new Promise((done) => playground.once('exit', done))
    playground.kill('SIGTERM')
    await ended
  }
  await rm(home, { recursive: true, force: true })
})

test('a migration that cannot get its lock stops with the reason, and the next try goes from the command to the proof', async () => {
  const [alice, bob] = [page.getByTestId('pane-left'), page.getByTestId('pane-right')]
  await shot('start')

  const blocker = await holdOrders()
  try {
    await ask(alice, '/migrate deploy prod --reason "Checkout needs the discount columns before Friday."')
    await bob.getByRole('button', { name: 'Approve' }).waitFor()
    await shot('request')
    await shotNarrow('request-narrow')
    await approve(bob, 'confirm')
    await alice.getByText('Cancel', { exact: true }).waitFor()
    await alice.getByTestId('plan').waitFor()
    await shot('running')
    await alice.getByText('is in the way').first().waitFor({ timeout: 120_000 })
    await alice.getByRole('button', { name: 'End blocker' }).first().scrollIntoViewIfNeeded()
    await shot('blocked')
    await shotNarrow('blocked-narrow')
    await alice.getByRole('button', { name: 'Open the record' }).or(alice.getByText('Why.')).first().waitFor({ timeout: 120_000 })
    await shot('failed')
    await shotNarrow('failed-narrow')
    expect(await alice.getByTestId('message').filter({ hasText: '#1 stopped' }).first().innerText()).toContain('could not get its lock')
  } finally {
    await blocker.end()
  }

  await resolveFailed()
  await ask(alice, '/migrate deploy prod')
  await approve(bob)
  await bob.getByTestId('message').filter({ hasText: 'Deploy to Production · #2' }).first().getByTestId('open-thread').click()
  await bob.getByTestId('thread').getByText('applied, 1 of').waitFor({ timeout: 60_000 })
  await shot('playground') // docs/images/playground.png is one of these
  await alice.getByText('is live').first().waitFor({ timeout: 120_000 })
  const card = alice.getByTestId('message').filter({ hasText: '#2 done' }).first()
  expect(await card.innerText()).toMatch(/\d migrations? applied and [0-9a-f]{7} is live\./)
  await card.getByTestId('open-thread').click()
  await alice.getByTestId('thread').getByText('the log follows').waitFor()
  await shot('done')
  await shotNarrow('done-narrow')

  await alice.getByTestId('open-home').click()
  await alice.getByText('Last runs').waitFor()
})

test('Home shows the windows of the next days and what is frozen, and is kept current while it is open', async () => {
  const [alice, bob] = [page.getByTestId('pane-left'), page.getByTestId('pane-right')]
  await page.getByTestId('hint').getByRole('button', { name: 'Dismiss' }).click()
  await alice.getByTestId('open-home').click()
  await alice.getByText('None is planned.').waitFor()
  await bob.getByTestId('channel-deploys').click()
  for (const [when, length, reason] of [
    ['in 3 hours', '45m', 'A new index on the orders'],
    ['tomorrow 10:00', '2h', 'Dropping the legacy price columns'], // at any hour of the test, unlike "in 30 hours"
    ['in 31 hours', '30m', 'PostgreSQL 18 on the standby'],
    ['in 150 hours', '1h', 'Moving the invoices to their own table'],
  ])
    await ask(bob, `/maintenance schedule ${reason?.includes('standby') === true ? 'staging' : 'prod'} "${when}" ${length} "${reason}"`)
  await ask(bob, '/migrate freeze staging until in 5 hours The fixtures are being loaded')
  await alice.getByText('Moving the invoices').waitFor()
  await alice.getByText('is frozen until').waitFor()
  await alice.getByRole('button', { name: 'Open' }).nth(3).waitFor()
  await shot('home')
  await shotNarrow('home-narrow')
  expect(await alice.getByText('Tomorrow, ').count()).toBe(1)
})

test('bare /migrate opens a form that asks for the request, and a guest is told why not', async () => {
  const alice = page.getByTestId('pane-left')
  await alice.getByTestId('channel-deploys').click()
  await ask(alice, '/migrate')
  await alice.getByTestId('modal').waitFor()
  await shot('modal')
  await shotNarrow('modal-narrow')
  await alice
    .getByTestId('modal')
    .getByRole('button', { name: /Close|Cancel/ })
    .first()
    .click()
  await alice.getByTestId('person-switcher').click()
  await page.getByTestId('person-gina').first().click()
  await alice.getByTestId('channel-deploys').click()
  await ask(alice, '/migrate deploy prod')
  await alice.getByText('and this is a guest').first().waitFor()
  await shot('refused')
  expect(await alice.getByText('and this is a guest').first().isVisible()).toBe(true)
})

test('a window looks as it should from its form to its release notes', async () => {
  const [alice, bob] = [page.getByTestId('pane-left'), page.getByTestId('pane-right')]
  await alice.getByTestId('person-switcher').click()
  await page.getByTestId('person-alice').first().click()
  await alice.getByTestId('channel-deploys').click()
  await ask(alice, '/maintenance')
  const form = alice.getByTestId('modal')
  await form.getByLabel('Target').selectOption({ label: 'Production (prod)' })
  await form.getByLabel('When').fill('every second')
  await form.getByLabel('How long').fill('2h')
  await form.getByLabel('Reason').fill('The legacy price columns are dropped. The shop stays open; orders may wait for a few seconds.')
  await form.getByLabel('What runs').fill('Three migrations and a restart of the shop')
  await form.getByTestId('modal-submit').click()
  await form.getByText('is not a time that can be read').waitFor()
  await shot('window-form')
  await shotNarrow('window-form-narrow')
  await form.getByLabel('When').fill(`${new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)} 02:00`)
  await form.getByTestId('modal-submit').click()
  await form.getByText('for 2 h').waitFor()
  await shot('window-confirm')
  await form.getByTestId('modal-submit').click()
  await form.waitFor({ state: 'detached' })

  const announced = alice.getByTestId('message').filter({ hasText: 'The legacy price columns are dropped' }).first()
  await announced.getByText('7 d before').waitFor()
  const { STORE_URL } = await playgroundUrls()
  const store = new pg.Client({ connectionString: STORE_URL })
  await store.connect()
  try {
    await shotAt('window-announced', announced)
    for (const [stage, text, name] of [
      ['before:604800000', 'starts in 7 d', '7d'],
      ['before:172800000', 'starts in 2 d', '48h'],
      ['before:86400000', 'starts in 1 d', '24h'],
      ['before:3600000', 'starts in 1 h', '1h'],
      ['start', 'has started', 'start'],
      ['during:1', 'goes on', 'during'],
      ['end', 'is over', 'end'],
    ] as const) {
      await passToStage(store, stage)
      const thread = bob.getByTestId('thread')
      if (!(await thread.isVisible()))
        await bob
          .getByTestId('message')
          .filter({ hasText: 'The legacy price columns are dropped' })
          .first()
          .getByTestId('open-thread')
          .click()
      await thread.getByText(text).first().waitFor()
      await shotAt(`window-${name}`, announced)
    }
  } finally {
    await store.end()
  }
  const end = await announced.innerText()
  expect(end).toContain('done')
  expect(end).not.toContain('Reschedule')
})

/** Wide and narrow, with the message in view from its beginning. */
async function shotAt(name: string, message: Locator) {
  const toTop = () => message.evaluate((element) => element.scrollIntoView({ block: 'start' }))
  await toTop()
  await shot(name)
  await page.setViewportSize(narrow)
  await toTop()
  await page.screenshot({ path: join(shots, `${name}-narrow.png`) })
  await page.setViewportSize(wide)
}

/** The store's clock goes to where a notice of the newest window is due, and the notice is sent. */
async function passToStage(store: pg.Client, stage: string) {
  const { rows } = await store.query<{ id: number }>(
    `update lockkeeper.store set clock_offset = n.due_at + interval '1 second' - clock_timestamp()
     from lockkeeper.notice n where n.stage = $1 and n.maintenance_id = (select max(id) from lockkeeper.maintenance) returning n.id`,
    [stage],
  )
  expect(rows).toHaveLength(1)
  await until(`the notice ${stage} is sent`, async () => {
    const { rows: found } = await store.query(`select 1 from lockkeeper.notice where id = $1 and state = 'sent'`, [rows[0]?.id])
    return found.length === 1
  })
}

/** What was typed before is on its way until the button can be pressed again. */
async function ask(pane: Locator, text: string) {
  await pane.getByTestId('composer').fill(text)
  await pane.getByRole('button', { name: 'Send', disabled: false }).last().waitFor()
  await pane.getByTestId('composer').press('Enter')
}

async function approve(pane: Locator, name?: string) {
  await pane.getByRole('button', { name: 'Approve' }).last().click()
  await pane.getByTestId('modal-submit').waitFor()
  if (name !== undefined) await shot(name)
  await pane.getByTestId('modal-submit').click()
  await pane.getByTestId('modal').waitFor({ state: 'detached' })
}

/** A report that was forgotten in a transaction: it reads `orders`, which a dump may too and an ALTER may not. */
async function holdOrders(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await productionUrl(), application_name: 'reporting' })
  await client.connect()
  await client.query('begin')
  await client.query('select count(*) from orders')
  return client
}

/** What the thread says to do before the next try, if the failed file left a row. */
async function resolveFailed(): Promise<void> {
  const client = new pg.Client({ connectionString: await productionUrl() })
  await client.connect()
  const { rows } = await client.query('select 1 from _prisma_migrations where finished_at is null and rolled_back_at is null')
  await client.end()
  expect(rows).toEqual([])
}

const productionUrl = async (): Promise<string> => (await playgroundUrls()).SHOP_PRODUCTION_URL

async function playgroundUrls() {
  return JSON.parse(await readFile(join(home, 'playground.json'), 'utf8')) as {
    readonly SHOP_PRODUCTION_URL: string
    readonly STORE_URL: string
  }
}

async function shot(name: string) {
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: join(shots, `${name}.png`) })
}

async function shotNarrow(name: string) {
  await page.setViewportSize(narrow)
  await page.screenshot({ path: join(shots, `${name}.png`) })
  await page.setViewportSize(wide)
}

function chromiumPath(): string {
  const found = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find(existsSync)
  if (found === undefined) throw new Error('No Chromium was found. Install it: apt-get install chromium')
  return found
}
