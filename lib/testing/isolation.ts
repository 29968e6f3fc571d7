import type { LightMyRequestResponse as Response } from 'fastify'
import type { AnyApp, AppRoute } from './app-routes.js'
import { findingOf, orAllow, ScopeAssertionError, unfinished, type Failure, type Finding } from './findings.js'
import { summaryOf } from './held-requests.js'
import { missingLike, Owner, readId, type Ids, type ObjectMakers } from './objects.js'
import { bobsToken, readPeople, type PeopleWithTokens } from './people.js'
import { fillUrl, hasBody, partsFor, pathFor, requestTo, type RequestParts } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export interface IsolationSettings extends Settings { objects: ObjectMakers }
export type IsolationOptions = IsolationSettings & PeopleWithTokens

const repair = "Fix: look for the object by its owner, too, as in .where('user_id', '=', request.user.id)"
const tells = 'its answer tells that there is such an object. Fix: one query by id and owner, and 404 if it finds none'

/**
 * Asserts that alice cannot get at bob's objects by her own path: on each route with an owner, each id of an object in
 * path, query and body is replaced by that of an object of bob's. The answer must be 4xx and the same as for an id that
 * does not exist, bob's object must stay as it is, and nothing that alice may read has its id.
 *
 * Handlers run, those of DELETE last: for a test database.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets alice at bob's objects, or could not be tried
 * @throws TypeError where NODE_ENV is production, a maker makes nothing, or no route has what it makes
 */
export async function assertIsolation (app: AnyApp, options: IsolationOptions): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new TypeError('assertIsolation runs handlers, and NODE_ENV is production: give it a test database')
  }
  const task = await readTask(app, options, ['issuer', 'alice', 'bob', 'objects'], 'assertIsolation')
  const { objects } = options
  const tokens = await readPeople(options)
  const alice = new Owner(app, tokens.alice, tokens.good, objects)
  const bob = new Owner(app, tokens.bob, await bobsToken(options), objects)
  const plans = task.judged
    .filter((route) => route.parameter !== null && route.method !== 'OPTIONS' && !task.isAllowed(route))
    .map((route) => planFor(route, partsFor(route, task.params), objects))
  const idle = Object.keys(objects).find((name) => !plans.some(({ names }) => names.includes(name)))
  if (idle !== undefined) throw new TypeError(`objects names "${idle}", and no route has it in path, query or body`)
  await alice.make()
  await bob.make()
  const findings: Finding[] = []
  // Reading first, while lists are short, and DELETE last.
  const rankOf = ({ isRead, route }: Plan) => Number(!isRead) + Number(route.method === 'DELETE')
  for (const plan of plans.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    findings.push(...await judge(plan, plans, alice, bob))
  }
  findings.push(...task.inVain())
  if (findings.length === 0) return
  throw new ScopeAssertionError("let others at an owner's objects, or could not be tried", findings)
}

/** How to ask a route: where ids of objects stand in its requests, and which path parameters nobody makes. */
type Plan = ReturnType<typeof planFor>

function planFor (route: AppRoute, parts: RequestParts, objects: ObjectMakers) {
  const schema = (route.options.schema ?? {}) as Record<string, { properties?: Record<string, unknown> } | undefined>
  const isMade = (name: string) => Object.hasOwn(objects, name)
  const path: string[] = []
  fillUrl(route.url, (name) => { if (name !== route.parameter) path.push(name); return '' })
  const queries = { ...(schema.querystring ?? schema.query)?.properties, ...parts.query }
  const given: Record<string, unknown> = { ...schema.body?.properties, ...Object(parts.body) }
  const fields = hasBody(route.method) ? given : {}
  const inPath = path.filter(isMade)
  const inQuery = Object.keys(queries).filter(isMade)
  const inBody = Object.keys(fields).filter(isMade)
  return {
    route,
    parts,
    isRead: ['GET', 'HEAD'].includes(route.method),
    inPath,
    inQuery,
    inBody,
    lists: inBody.filter((name) => Array.isArray(fields[name]) || Object(fields[name]).type === 'array'),
    names: [...new Set([...inPath, ...inQuery, ...inBody])],
    unknown: path.filter((name) => !isMade(name) && parts.path?.[name] === undefined)
  }
}

/** Asks a route as somebody, with these ids in their places. */
async function ask (plan: Plan, who: Owner, ids: Ids): Promise<Response> {
  const { route, parts, inPath, inQuery, inBody, lists } = plan
  const texts = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, String(ids[name])]))
  const fields = Object.fromEntries(inBody.map((name) => [name, lists.includes(name) ? [ids[name]] : ids[name]]))
  const body = inBody.length > 0 ? { ...Object(parts.body), ...fields } : parts.body
  const path = pathFor(route, encodeURIComponent(who.id), { path: { ...parts.path, ...texts(inPath) } })
  const query = { ...parts.query, ...texts(inQuery) }
  return await who.inject(requestTo(route.method, path, { ...parts, query, body }))
}

async function judge (plan: Plan, plans: readonly Plan[], alice: Owner, bob: Owner): Promise<Finding[]> {
  const { route, names, isRead, unknown } = plan
  if (unknown.length > 0) {
    const fix = 'Give it in objects, or in params: { {name}: { path } }'
    return [findingOf(route, [`not tried: what ":${unknown.join('", ":')}" names nobody makes. ${fix}${orAllow}`])]
  }
  if (names.length === 0 && !isRead) return []
  const failures: Failure[] = []
  const notes = new Set<string>()
  const fail = (given: Response, note: string, label: string, expected: string, answer = describe(given)) => {
    notes.add(note)
    failures.push({ label, expected, answer, url: String(given.raw.req.url) })
  }
  const passes = (given: Response, label: string) => {
    const isGood = given.statusCode >= 200 && given.statusCode < 400
    if (!isGood) fail(given, unfinished(route), label, '2xx')
    return isGood
  }
  // What bob has just read may be kept for others.
  if (!isRead) await alice.make()
  else if (names.length > 0) passes(await ask(plan, bob, bob.ids), "bob's token, his own")

  for (const swapped of [...names.map((name) => [name]), ...names.length > 1 ? [names] : []]) {
    const label = `alice's token, bob's ${swapped.join(' and ')}`
    const attackWith = async (ids: Ids) => {
      const given = await ask(plan, alice, { ...alice.ids, ...ids })
      const text = swapped.reduce((rest, name) => readId(rest, ids[name]).text, given.body)
      return { given, status: given.statusCode, text }
    }
    const his = Object.fromEntries(Object.entries(bob.ids).filter(([name]) => swapped.includes(name)))
    const none = Object.fromEntries(Object.entries(his).map(([name, id]) => [name, missingLike(id)]))
    const before = await readBack(swapped, plans, bob)
    const { given, status, text } = await attackWith(his)
    const isChanged = await readBack(swapped, plans, bob) !== before
    const [first, second] = [await attackWith(none), await attackWith(none)]
    if (isChanged) {
      fail(given, repair, `${label}: what bob reads then`, 'as before', 'changed')
      await bob.make()
    }
    const asForNone = `as for none: ${describe(first.given)}`
    const isSame = status === first.status && (text === first.text || first.text !== second.text)
    // A search, or a batch, may find nothing and say so.
    const isIn = (places: readonly string[]) => swapped.some((name) => places.includes(name))
    const mayBeEmpty = !isIn(plan.inPath) && !isIn(plan.inBody.filter((name) => !plan.lists.includes(name)))
    const isRefused = (status >= 400 && status < 500) || (mayBeEmpty && isSame)
    if (!isRefused) fail(given, repair, label, mayBeEmpty ? asForNone : '4xx')
    else if (status !== first.status) fail(given, tells, label, asForNone)
    else if (!isSame) fail(given, tells, label, asForNone, `${status}, another body`)
  }
  const own = await ask(plan, alice, alice.ids)
  const leaked = Object.keys(bob.ids).filter((name) => readId(own.body, bob.ids[name]).has)
  const label = "alice's token, her own"
  if (passes(own, label) && leaked.length > 0) {
    fail(own, repair, label, "nothing of bob's", `${own.statusCode} with bob's ${leaked.join(' and ')}`)
  }
  return failures.length > 0 ? [findingOf(route, [...notes], failures)] : []
}

const describe = ({ statusCode, body }: Response) =>
  statusCode < 400 ? String(statusCode) : `${statusCode} ${summaryOf(body)}`.trimEnd()

/** What bob reads of these objects: by the routes that have them in their paths, else by his lists. */
async function readBack (names: readonly string[], plans: readonly Plan[], bob: Owner): Promise<string> {
  const reads = plans.filter(({ route, unknown }) => route.method === 'GET' && unknown.length === 0)
  const direct = reads.filter(({ inPath }) => inPath.some((name) => names.includes(name)))
  const answers: string[] = []
  for (const plan of direct.length > 0 ? direct : reads.filter(({ inPath }) => inPath.length === 0)) {
    const { statusCode, body } = await ask(plan, bob, bob.ids)
    answers.push(`${statusCode} ${body}`)
  }
  return answers.join('\n')
}
