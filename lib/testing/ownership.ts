import { Type } from '@sinclair/typebox'
import type { AnyApp, AppRoute, OwnedRoute } from './app-routes.js'
import { asDelegate, attemptsOn, nearId, noToken, outOfHers } from './attempts.js'
import {
  broken, findingOf, limited, ofIssuer, orAllow, tooGenerous, unfinished, type Failure, type Finding
} from './findings.js'
import { describeAnswer, holdRequests } from './held-requests.js'
import { readIds, tokensFor, tokensOf, type People } from './people.js'
import { findAround } from './places.js'
import { partsFor } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export type OwnershipOptions = People & Settings & {
  /** Milliseconds to wait for an answer. Default 5000. */
  timeout?: number
}

const ms = Type.Number({ minimum: 1, maximum: 2 ** 31 - 1, expects: 'milliseconds, from 1 to 2147483647' })

/**
 * Asserts that only the owner can call a route with the owner in its URL, in any context of the app. Without a token,
 * and with an expired or forged one, it must answer 401. Alice's token must be refused on bob's path in any spelling,
 * and must reach the handler on her own. Scopes, delegates and bound parameters are tested too.
 *
 * No handler runs; hooks of the app do.
 * @param app is made ready
 * @throws ScopeAssertionError that names every route which admits others, or could not be tested
 * @throws TypeError if no route accepts alice's token, or none has an owner, a scope or a bound parameter
 */
export async function assertOwnership (app: AnyApp, options: OwnershipOptions): Promise<void> {
  const task = await readTask(app, options, { timeout: Type.Optional(ms) }, 'assertOwnership')
  const { params, judged, findings, report } = task
  const known = { ...readIds(options), ...await tokensOf('alice', options) }
  const send = holdRequests(app, options.timeout ?? 5000)
  const isOwned = (route: AppRoute): route is OwnedRoute => route.parameter !== null
  const isRuled = (route: AppRoute) => isOwned(route) || route.bound.length > 0 || route.scopes !== null
  if (!judged.some(isRuled)) throw new TypeError(nothingToTry)
  if (app.hasDecorator('use')) process.emitWarning(middleware)
  // A route for preflights is public by default. Browsers send no token with them.
  const isPreflight = ({ access, source }: AppRoute) => access === 'public' && source === 'default'
  const tried = new Set(judged.filter((route) => isRuled(route) && !isPreflight(route)))
  // One after the other, because a host may count or lock requests by user.
  for (const route of tried) {
    const tokens = await tokensFor(route, known, options)
    const failures: Failure[] = []
    let reason: string | undefined
    let isOpen = false
    const parts = partsFor(route, params, tokens.tenants.hers)
    for (const { label, expected, request, fits } of attemptsOn(route, parts, tokens)) {
      // For 401s validation stays on, because it must not answer before the guard.
      const answer = await send(request, expected === '401')
      // `@fastify/cors` may answer everybody before the guard, with 400 if it is not a preflight. The first try has no
      // token.
      const isUnreached = route.method === 'OPTIONS' && answer.reached === null && answer.status > 0
      if (label === noToken) isOpen = isUnreached && answer.status !== 401
      const isAnsweredFirst = isUnreached && (expected === 'its handler' ? answer.status === 400 : isOpen)
      if (isAnsweredFirst || fits(answer)) continue
      failures.push({ label, expected, answer: describeAnswer(answer, route.options), url: String(request.url) })
      reason = answer.reason
      // The others would not be answered either, and each would take as long.
      if (answer.status === 0) break
    }
    if (!report(findingOf(route, notesOn(route, failures, reason), failures))) tried.delete(route)
  }
  // The test is wrong, not each route.
  const noteOf = ({ notes }: Finding) => notes.find((note) => note.startsWith(tokenNotTaken))
  const refused = findings.filter(noteOf)
  const [first] = refused.length === tried.size ? refused : []
  if (first) throw new TypeError(`${noteOf(first)} (${first.failures.at(-1)?.answer})`)
  const others = judged.filter((route) => !isOwned(route) && route.method !== 'OPTIONS')
  for (const route of others) if (!isRuled(route)) report(findingOf(route, notesOn(route, [])))
  await findAround([...tried].filter(isOwned), others, task, known, options, send)
  task.conclude('let others in, or could not be tried')
}

const nothingToTry = 'no guarded route has an owner in its URL, a scope or a bound parameter, so there is nothing to ' +
  'try: is the plugin registered in the context of the routes, and does "only" keep any? If all are of level ' +
  "'user', call assertIsolation alone"
const middleware = 'fastify-user-scope: this app has middleware (app.use), which no guard covers and no assertion ' +
  'tries. Fix: answer in a route, and remove the middleware'
const tokenNotTaken = `alice's token is not taken: ${ofIssuer}`
// The plugin logs why it refuses a token, and nothing of what the app refuses.
const orUnknown = ' Or does a hook of the app look for alice, where nobody has made her?'

/**
 * Returns the faults of a route, and the likely cause of its failures.
 * @param reason why the plugin refused the last request
 */
function notesOn (route: AppRoute, failures: readonly Failure[], reason?: string): string[] {
  const name = route.parameter?.name
  const kept = failures.filter(({ expected }) => expected === 'its handler')
  const isKeptBy = (form: RegExp) => kept.length > 0 && kept.every(({ answer }) => form.test(answer))
  const has = (form: RegExp) => failures.some(({ answer }) => form.test(answer))
  const claims = route.bound.map(({ path }) => path.join('.')).join(', ')
  const causes: Array<[isCause: boolean, hint: string]> = [
    [has(/^none: no answer/),
      'not tried to the end: does a hook wait for what is not there in tests? "timeout" gives it longer'],
    [failures.some(({ label }) => label === outOfHers),
      `what stands behind ":${name}" may lead out of it where dot segments are resolved: refuse them${orAllow}`],
    [has(/ACCESS_CHECK_UNAVAILABLE/), 'option "mayActFor" fails, or does not answer in time: its error is in the log'],
    [route.delegates === true && failures.some(({ label }) => label === "alice's token, bob's path"), tooGenerous],
    [isKeptBy(/^401\b/), reason === undefined ? tokenNotTaken + orUnknown : tokenNotTaken],
    [isKeptBy(/^its handler/), `a hook changes ":${name}" after it was compared, and the handler sees another's id`],
    [isKeptBy(/^429\b/), limited],
    [isKeptBy(/^500\b/), `the app fails before the handler: ${broken}`],
    [kept.every(({ label }) => label === asDelegate) && kept.length > 0,
      'a delegate is kept out: does a hook ask for more? Scopes in another claim than "scope" must be among bob\'s'],
    [isKeptBy(/^403 INSUFFICIENT_SCOPE/), "alice's token lacks the scopes of the rule: give her the claim with them"],
    [isKeptBy(/^403\b/) && claims !== '',
      `alice's token does not fit a bound parameter: give alice and bob the claim ${claims}, ` +
        "as in { id: 'alice', … }"],
    [isKeptBy(/^403\b/), 'alice is kept from her own path: does a hook or a schema change the id, or a hook need ' +
      'more than her token?'],
    [kept.length > 0, unfinished],
    [failures.length > 0 && failures.every(({ label }) => label.startsWith(nearId)),
      `something changes ":${name}" before the guard compares it, such as a hook that trims it: let it come as it is`],
    [failures.length > 0 && !has(/handler|^none/),
      "something answers in the guard's place, such as an error handler or a cache: let it keep the guard's status"]
  ]
  const [, ...hint] = causes.find(([isCause]) => isCause) ?? []
  const why = kept.length > 0 && reason !== undefined ? ` (the plugin: ${reason})` : ''
  return [...route.faults.map((fault) => fault + orAllow), ...hint.map((text) => text + why)]
}
