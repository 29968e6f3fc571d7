import t from 'tap'
import type { Fetch } from '../../lib/contract/issuer.js'
import { failureOf, FetchFault, fetchJson } from '../../lib/keys/limited-fetch.js'
import { readIssuers } from '../../lib/options/issuers.js'

const url = 'https://issuer.example/jwks'
const never = new AbortController().signal

function load (fetch: Fetch, signal = never, maxBytes = 1024): Promise<unknown> {
  const entry = { issuer: 'https://issuer.example', audience: 'api', jwksUri: url, maxBytes, fetch }
  const [settings] = readIssuers([entry], false)
  return fetchJson(settings!, url, signal)
}

t.test('the request has the right method, headers and redirect mode', async (t) => {
  const calls: unknown[] = []
  t.same(await load(async (...call) => { calls.push(call); return Response.json({ keys: [] }) }), { keys: [] })
  const headers = { accept: 'application/json, application/jwk-set+json' }
  t.same(calls, [[url, { method: 'GET', headers, redirect: 'manual', signal: never }]])
})

t.test('an answer that is no JSON of status 200 is a fault', async (t) => {
  const redirect = '(a redirect, which is not followed)'
  const answers: Array<[body: string | null, init: ResponseInit, message: string]> = [
    ['{}', { status: 201 }, 'status 201'],
    ['{}', { status: 302, headers: { location: 'https://evil.example' } }, `status 302 ${redirect}`],
    ...[301, 303, 307, 308].map((status): [null, ResponseInit, string] =>
      [null, { status }, `status ${status} ${redirect}`]),
    [null, { status: 304 }, 'status 304'],
    ['secret-body', { status: 500 }, 'status 500'],
    ['secret-body', {}, 'not JSON'],
    ['', {}, 'not JSON'],
    [null, {}, 'not JSON'],
    ['"' + 'x'.repeat(1023) + '"', {}, 'longer than 1024 bytes (option "maxBytes")']
  ]
  for (const [body, init, message] of answers) {
    const error = await load(async () => new Response(body, init)).then(() => null, (error: Error) => error)
    t.ok(error instanceof FetchFault, message)
    t.equal(error?.message, message)
  }
  t.equal(await load(async () => new Response('"' + 'x'.repeat(1022) + '"')), 'x'.repeat(1022), 'exactly 1024 bytes')
  t.same(await load(async () => new Response('\ufeff{"keys":[]}')), { keys: [] }, 'a byte order mark is left out')
  const bytes = [...Buffer.from('"é"')].map((byte) => Buffer.of(byte))
  t.equal(await load(async () => new Response(ReadableStream.from(bytes))), 'é', 'whatever its parts are')
})

t.test('a body that is not read is cancelled', async (t) => {
  for (const [status, chunk, message] of [
    [404, 'x', 'status 404'], [200, 'x'.repeat(400), 'longer than 1024 bytes (option "maxBytes")']
  ] as const) {
    let isCancelled = false
    let chunks = 0
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(Buffer.from(chunk))
        if (++chunks === 5) controller.close()
      },
      cancel: () => { isCancelled = true; throw new Error('no') }
    })
    await t.rejects(load(async () => new Response(body, { status })), { message })
    t.ok(isCancelled)
  }
})

t.test('a body that cannot be cancelled is not waited for', async (t) => {
  const body = new ReadableStream({ cancel: () => new Promise(() => {}) })
  await t.rejects(load(async () => new Response(body, { status: 404 })), { message: 'status 404' })
})

t.test('a fetch that ignores the signal is left', async (t) => {
  const limit = new AbortController()
  const hanging = load(() => new Promise(() => {}), limit.signal)
  limit.abort()
  await t.rejects(hanging, new FetchFault('timed out (option "timeout")'))

  const { signal } = new AbortController()
  const pull = () => {
    Object.defineProperty(signal, 'aborted', { value: true })
    throw new DOMException('aborted', 'AbortError')
  }
  const cut = load(async () => new Response(new ReadableStream({ pull })), signal)
  await t.rejects(cut, new FetchFault('timed out (option "timeout")'), 'its body may end before the listener is called')

  let isCalled = false
  const late = load(async () => { isCalled = true; return Response.json({}) }, limit.signal)
  await t.rejects(late, new FetchFault('timed out (option "timeout")'))
  t.notOk(isCalled, 'no fetch once the time is up')
})

t.test('the reason of a failure quotes nothing', async (t) => {
  const withCode = Object.assign(new TypeError('secret-body'), { code: 'ECODE' })
  const rows: Array<[error: unknown, text: string]> = [
    [new FetchFault('status 500'), 'status 500'],
    [new Error('secret-body'), 'Error'],
    [withCode, 'TypeError ECODE'],
    [new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }), 'TypeError ECONNREFUSED'],
    [new TypeError('fetch failed', { cause: new Error('secret-body') }), 'TypeError'],
    [new DOMException('secret-body', 'TimeoutError'), 'TimeoutError 23'],
    ...[undefined, null, 'secret-body', 5, { message: 'secret-body' }].map((error): [unknown, string] =>
      [error, 'unknown error'])
  ]
  for (const [error, text] of rows) t.equal(failureOf(error), text)
})
