import type { AnyApp, AppRoute } from './app-routes.js'
import { attemptsOn, outOfHers } from './attempts.js'
import { describeAnswer, findingOf, orAllow, ScopeAssertionError, unfinished } from './findings.js'
import type { Failure, Finding } from './findings.js'
import { holdRequests } from './held-requests.js'
import { readIds, tokensOf, type People } from './people.js'
import { findAround } from './places.js'
import { partsFor } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export type OwnershipOptions = People & Settings & {
  /** Milliseconds for an answer. Default 5000. */
  timeout?: number
}

/**
 * Asserts that each route with the owner in its URL is the owner's alone: every route of the app, in whatever context,
 * is asked without a token, with an expired and a forged one (401), with alice's token on bob's path, in each form that
 * a router might take for it (403), on paths that are nearly hers or lead out of hers (refused), and on her own, which
 * must get to the handler.
 *
 * No handler runs, not even for her own path; hooks of the host do. Only alice's tokens are used.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets others in, or could not be tried
 * @throws TypeError where no route takes alice's token, the plugin is not there, or no route has an owner
 */
export async function assertOwnership (app: AnyApp, options: OwnershipOptions): Promise<void> {
  const task = await readTask(app, options, ['issuer', 'alice', 'bob', 'timeout'], 'assertOwnership')
  const { params, judged, isAllowed } = task
  const tokens = { ...readIds(options), ...await tokensOf('alice', options) }
  const send = holdRequests(app, options.timeout ?? 5000)
  if (judged.every(({ parameter }) => parameter === null)) {
    throw new TypeError('no route has an owner in its URL, so there is nothing to try: is the plugin registered?')
  }
  if (app.hasDecorator('use')) process.emitWarning(middleware)
  // A route that serves OPTIONS alone, as `@fastify/cors` makes it, is asked before there is a token.
  const isPreflight = ({ method, access, source }: AppRoute) =>
    method === 'OPTIONS' && access === 'public' && source === 'default'
  const owned = judged.filter((route) => route.parameter !== null && !isPreflight(route) && !isAllowed(route))
  const findings: Finding[] = []
  // One after the other, so that what a host counts or locks for each user is not met by a crowd.
  for (const route of owned) {
    const failures: Failure[] = []
    for (const { label, expected, request, fits } of attemptsOn(route, partsFor(route, params), tokens)) {
      // Validation goes on where a token is missing, so that it must not answer in the guard's place.
      const answer = await send(request, expected === '401')
      const says = describeAnswer(answer, route.options)
      if (!fits(answer)) failures.push({ label, expected, answer: says, url: String(request.url) })
      // A host that does not answer would not answer the others either, and each costs its time.
      if (answer.status === 0) break
    }
    const notes = notesOn(route, failures)
    if (failures.length + notes.length > 0) findings.push(findingOf(route, notes, failures))
  }
  // The fault of the test, and not of each route.
  const [first] = findings.length === owned.length ? findings : []
  if (first && findings.every(({ notes }) => notes.includes(tokenNotTaken))) {
    throw new TypeError(`${tokenNotTaken} (${first.failures.at(-1)?.answer})`)
  }
  const others = judged.filter(({ parameter, method }) => parameter === null && method !== 'OPTIONS')
  const alike = others.filter((route) => route.lookAlike && !isAllowed(route))
  findings.push(
    ...alike.map((route) =>
      findingOf(route, [`${route.lookAlike}, and is compared with nobody's id: rename it${orAllow}`])),
    ...await findAround(owned, others, task, tokens, send),
    ...task.inVain()
  )
  if (findings.length > 0) throw new ScopeAssertionError('let others in, or could not be tried', findings)
}

const middleware = 'fastify-user-scope: this app has middleware (app.use), which no guard covers and no assertion ' +
  'tries. Fix: serve its paths by a wildcard route, as docs/access.md shows'
const tokenNotTaken = "alice's token is not taken: is the plugin registered with the options of the issuer?"

/** What to do about the level of a route, or where alice did not get in, or got out of her own. */
function notesOn ({ access, parameter }: AppRoute, failures: readonly Failure[]): string[] {
  const has = `though its URL has the owner's ":${parameter}"`
  const stated = access === 'owner' ? [] : [`its level is '${access}', ${has}: leave config.access out${orAllow}`]
  const outside = `no guard of the plugin covers it, ${has}: move it into the scope${orAllow}`
  const kept = failures.filter(({ expected }) => expected === 'its handler')
  const isKeptBy = (form: RegExp) => kept.length > 0 && kept.every(({ answer }) => form.test(answer))
  const causes: Array<[isCause: boolean, hint: string]> = [
    [failures.some(({ answer }) => answer.startsWith('none:')),
      'not tried to the end: does a hook wait for what is not there in tests? "timeout" gives it longer'],
    [failures.some(({ answer }) => answer.startsWith('429')),
      'not tried to the end: a rate limit of the host, which tests should raise'],
    [failures.some(({ label }) => label === outOfHers),
      `what stands behind ":${parameter}" may lead out of it where dot segments are resolved: refuse them${orAllow}`],
    [isKeptBy(/^401\b/), tokenNotTaken],
    [isKeptBy(/^its handler/),
      `a hook changes ":${parameter}" after it was compared, and the handler sees another's id`],
    [isKeptBy(/^403\b/), 'alice is kept from her own path: does a hook change the id, or need more than her token?'],
    [kept.length > 0, unfinished]
  ]
  const [, ...hint] = causes.find(([isCause]) => isCause) ?? []
  return [...access === 'unguarded' ? [outside] : stated, ...hint]
}
