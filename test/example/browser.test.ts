import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { chromium, type Locator, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { idsIn, skipWithout, start } from '../support/example.js'

const names = ['chromium', 'chromium-browser', 'google-chrome']
const folders = (env.PATH ?? '').split(':')
const program = folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))

/** Milliseconds for what the browser does in one or two seconds, on machines that are busy. */
const patience = 120_000

/** A page of the browser, and what it complained about. */
async function visit (t: Test, url: string): Promise<{ page: Page, complaints: string[] }> {
  const browser = await chromium.launch({
    timeout: patience,
    executablePath: String(program),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'
    ]
  })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
  page.setDefaultTimeout(patience)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
  page.on('requestfailed', (request) => complaints.push(request.url()))
  await page.goto(url)
  return { page, complaints }
}

const operation = (page: Page, summary: string) =>
  page.locator('.opblock').filter({ has: page.getByText(summary, { exact: true }) })

/** Opens an operation so that it can be tried out. */
async function tryOut (page: Page, summary: string): Promise<Locator> {
  const block = operation(page, summary)
  await block.locator('.opblock-summary').click()
  await block.getByRole('button', { name: 'Try it out' }).click()
  return block
}

/** Sends the request, waits for an answer of that status and returns body and headers as they are shown. */
async function execute (block: Locator, status: number): Promise<string> {
  await block.getByRole('button', { name: 'Execute' }).click()
  const has = block.page().locator('.response-col_status', { hasText: String(status) })
  const answer = block.locator('.live-responses-table .response').filter({ has })
  return await answer.innerText()
}

const skip = skipWithout(program, 'chromium')
t.test('the docs page: sign in, authorize, own tasks, another user\'s', { skip }, async (t: Test) => {
  const example = await start(t, env.SCREENSHOT ? { PORT: '3000' } : {})
  const [, bob = ''] = idsIn(example)?.map((line) => String(line.split(' ').at(-1))) ?? []
  const { page, complaints } = await visit(t, `${example.baseURL}/`)
  await t.test('the home page fits a phone, and copies one step or all', async (t) => {
    t.equal(await page.getByRole('main').getByRole('heading', { level: 1 }).innerText(), 'Todo API')
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 844 })
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing to scroll sideways')
      const tooWide = await page.locator('pre').evaluateAll((steps) =>
        steps.filter((step) => step.scrollWidth > step.clientWidth))
      t.equal(tooWide.length, 0)
    }
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    let copies = 0
    const copied = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).last().click()
      await page.getByRole('button', { name: 'Copied' }).nth(copies++).waitFor() // each button says so from then on
      return String(await page.evaluate('navigator.clipboard.readText()'))
    }
    t.equal(await copied('Copy'), "# 200, the health, for anybody:\ncurl -sw '\\n%{http_code}\\n' $API/health\n")
    t.equal(await copied('Copy all'), example.printed.replace('\n# Stop with Ctrl+C.\n', ''))
    const background = () => page.evaluate('getComputedStyle(document.querySelector("pre")).backgroundColor')
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    t.not(await background(), light)
    await page.emulateMedia({ colorScheme: 'light' })
  })
  await page.getByRole('link', { name: 'docs page' }).click()
  await page.locator('.opblock').first().waitFor()

  await t.test('only guarded operations have a padlock', async (t) => {
    const padlocks = await page.locator('.opblock').evaluateAll((blocks) => blocks.map((block) => {
      const method = block.querySelector('.opblock-summary-method')?.textContent
      const path = block.querySelector('[data-path]')?.getAttribute('data-path')
      return { operation: `${method} ${path}`, padlock: block.querySelector('.authorization__btn') !== null }
    }))
    t.same(Object.fromEntries(padlocks.map(({ operation, padlock }) => [operation, padlock])), {
      'POST /api/auth/sign-up/email': false,
      'POST /api/auth/sign-in/email': false,
      'GET /api/auth/token': false,
      'GET /api/me': true,
      'GET /api/orgs/{org_id}/progress': true,
      'GET /api/{user_id}/tasks': true,
      'POST /api/{user_id}/tasks': true,
      'GET /api/{user_id}/tasks/{task_id}': true,
      'PUT /api/{user_id}/tasks/{task_id}': true,
      'DELETE /api/{user_id}/tasks/{task_id}': true,
      'PATCH /api/{user_id}/tasks/{task_id}/complete': true,
      'GET /health': false
    })
  })

  const list = await tryOut(page, 'List tasks, page by page')
  const owner = list.getByPlaceholder('user_id')
  const alice = await owner.inputValue()

  await t.test('without a token it shows 401 and the challenge', async (t) => {
    const shown = await execute(list, 401)
    t.match(shown, '"code": "MISSING_TOKEN"')
    t.match(shown, 'www-authenticate: Bearer realm="api"')
  })

  await t.test('the prefilled demo user signs in and gets a token', async (t) => {
    t.match(await execute(await tryOut(page, 'Get a token for the API'), 401), /unauthorized/i, 'not before')
    t.match(await execute(await tryOut(page, 'Sign in'), 200), '"email": "alice@example.com"')
    const shown = await execute(operation(page, 'Get a token for the API'), 200)
    const [, token = ''] = /"token": "([^"]+)"/.exec(shown) ?? []

    await page.getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.modal-ux')
    await dialog.locator('input').fill(token)
    await dialog.getByRole('button', { name: 'Apply credentials' }).click()
    await dialog.getByRole('button', { name: 'Close' }).first().click()
    t.equal(await page.getByLabel('authorization button locked').count(), 8, 'every padlock is closed')
  })

  await t.test('the token opens the user\'s own tasks and no others', async (t) => {
    t.match(await execute(await tryOut(page, 'Who the token belongs to'), 200), `"id": "${alice}"`)
    t.match(await execute(await tryOut(page, 'Create a task'), 201), '"title": "Buy milk"')
    t.match(await execute(list, 200), '"title": "Buy milk"')
    await list.locator('.parameters .examples-select-element').first().selectOption('Bob')
    t.equal(await owner.inputValue(), bob)
    t.match(await execute(list, 403), '"code": "FORBIDDEN_USER_ACCESS"')
  })

  await t.test('the token opens the user\'s organization and no other', async (t) => {
    const progress = await tryOut(page, 'What its members have done, and what is left')
    t.match(await execute(progress, 200), '"open": 1')
    await progress.getByPlaceholder('org_id').fill('other')
    t.match(await execute(progress, 403), '"code": "FORBIDDEN_RESOURCE_ACCESS"')
  })

  await t.test('the authorization survives a reload', async (t) => {
    await page.goto(`${example.baseURL}/docs`)
    await page.getByLabel('authorization button locked').nth(7).waitFor()
    t.equal(await page.getByLabel('authorization button locked').count(), 8)
    t.match(await execute(await tryOut(page, 'Who the token belongs to'), 200), `"id": "${alice}"`)
    const signIn = operation(page, 'Sign in')
    await signIn.locator('.opblock-summary').click()
    const advice = signIn.getByText('copy the token of that answer, not this one')
    await advice.waitFor()
    t.ok(await advice.isVisible())
  })

  await t.test('a new user with the prefilled values has tasks too', async (t) => {
    t.match(await execute(await tryOut(page, 'Make an account'), 200), '"email": "carol@example.com"')
  })

  await t.test('the content security policy blocked nothing', async (t) => {
    const refusals = complaints.filter((text) => /status of 40[13]/.test(text))
    t.same(complaints.filter((text) => !refusals.includes(text)), [])
  })

  // For the README: SCREENSHOT=examples/docs-page.png npx tap run --disable-coverage test/example/browser.test.ts
  const open = page.locator('.opblock.is-open .opblock-summary-control')
  for (let left = await open.count(); left > 0; left--) {
    await open.first().click()
    await open.nth(left - 1).waitFor({ state: 'detached' }) // or the next click might open it again
  }
  await page.locator('.info .title').click()
  await page.locator('.opblock-body').first().waitFor({ state: 'detached' })
  await page.setViewportSize({ width: 1280, height: 844 })
  await page.screenshot({
    animations: 'disabled',
    path: env.SCREENSHOT || join(t.testdir({}), 'docs-page.png'),
    fullPage: true
  })
})
