import type { LightMyRequestResponse } from 'fastify'
import type { AnyApp, AppRoute } from './app-routes.js'
import { findingOf, orAllow, ScopeAssertionError, unfinished, type Failure, type Finding } from './findings.js'
import { summaryOf } from './held-requests.js'
import { missingLike, Owner, readId, type Ids, type ObjectMakers } from './objects.js'
import { bobsToken, readPeople, type PeopleWithTokens } from './people.js'
import { fillUrl, hasBody, partsFor, pathFor, requestTo, type RequestParts } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export interface IsolationSettings extends Settings { objects: ObjectMakers }
export type IsolationOptions = IsolationSettings & PeopleWithTokens

/** How to ask a route, and the names of objects in the parts of its requests. In a body there may be a list of them. */
interface Plan {
  readonly route: AppRoute
  readonly parts: RequestParts
  readonly inPath: readonly string[]
  readonly inQuery: readonly string[]
  readonly inBody: ReadonlyMap<string, 'one' | 'list'>
  /** Path parameters that nobody makes. */
  readonly unknown: readonly string[]
}

const repair = "Fix: look for the object by its owner, too, as in .where('user_id', '=', request.user.id)"
const tells = 'its answer tells that such an object exists. Fix: one query by id and owner, and 404 where it finds nothing'

/**
 * Asserts that alice cannot get at bob's objects by her own path: on each route with an owner, each id of an object in path,
 * query and body is replaced by that of an object of bob's. The answer must be 4xx and the same as for an id that does not
 * exist, bob's object must stay as it is, and nothing that alice may read has its id.
 *
 * Handlers run, those of DELETE last: for a test database.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets alice at bob's objects, or could not be tried
 * @throws TypeError where NODE_ENV is production, alice and bob are one, a maker makes nothing, or no route has what it makes
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
  const idle = Object.keys(objects).find((name) => !plans.some((plan) => namesIn(plan).includes(name)))
  if (idle !== undefined) throw new TypeError(`objects names "${idle}", and no route with an owner has it in path, query or body`)
  await alice.make()
  await bob.make()
  const findings: Finding[] = []
  // Reading first, while lists are short, and DELETE last.
  const inTurn = [plans.filter(isRead), plans.filter((plan) => !isRead(plan) && !isDelete(plan)), plans.filter(isDelete)].flat()
  for (const plan of inTurn) findings.push(...await judge(plan, plans, alice, bob))
  findings.push(...task.inVain())
  if (findings.length > 0) throw new ScopeAssertionError("let others at an owner's objects, or could not be tried", findings)
}

const isRead = ({ route: { method } }: Plan) => method === 'GET' || method === 'HEAD'
const isDelete = ({ route: { method } }: Plan) => method === 'DELETE'
const namesIn = ({ inPath, inQuery, inBody }: Plan) => [...new Set([...inPath, ...inQuery, ...inBody.keys()])]

function planFor (route: AppRoute, parts: RequestParts, objects: ObjectMakers): Plan {
  const { querystring, query = querystring, body } = (route.options.schema ?? {}) as Record<string, { properties?: object } | undefined>
  const isMade = (name: string) => Object.hasOwn(objects, name)
  const path: string[] = []
  fillUrl(route.url, (name) => { if (name !== route.parameter) path.push(name); return '' })
  const fields: Array<[string, { type?: string }]> = hasBody(route.method) ? Object.entries({ ...body?.properties, ...parts.body as object }) : []
  return {
    route,
    parts,
    inPath: path.filter(isMade),
    inQuery: Object.keys({ ...query?.properties, ...parts.query }).filter(isMade),
    inBody: new Map(fields.filter(([name]) => isMade(name))
      .map(([name, value]) => [name, Array.isArray(value) || value?.type === 'array' ? 'list' : 'one'])),
    unknown: path.filter((name) => !isMade(name) && parts.path?.[name] === undefined)
  }
}

/** Asks a route as somebody, with these ids in their places. */
async function ask ({ route, parts, inPath, inQuery, inBody }: Plan, who: Owner, ids: Ids): Promise<LightMyRequestResponse> {
  const texts = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, String(ids[name])]))
  const fields = [...inBody].map(([name, number]) => [name, number === 'list' ? [ids[name]] : ids[name]])
  const path = pathFor(route, encodeURIComponent(who.id), { path: { ...parts.path, ...texts(inPath) } })
  const body = fields.length > 0 ? { ...parts.body as object, ...Object.fromEntries(fields) } : parts.body
  return await who.inject(requestTo(route.method, path, { ...parts, query: { ...parts.query, ...texts(inQuery) }, body }))
}

async function judge (plan: Plan, plans: readonly Plan[], alice: Owner, bob: Owner): Promise<Finding[]> {
  const { route, inPath, inBody, unknown } = plan
  const names = namesIn(plan)
  if (unknown.length > 0) {
    const fix = 'Give it in objects, or in params: { {name}: { path } }'
    return [findingOf(route, [`not tried: what ":${unknown.join('", ":')}" names nobody makes. ${fix}${orAllow}`])]
  }
  if (names.length === 0 && !isRead(plan)) return []
  const failures: Failure[] = []
  const notes = new Set<string>()
  const fail = (response: LightMyRequestResponse, note: string, label: string, expected: string, answer = describe(response)) => {
    notes.add(note)
    failures.push({ label, expected, answer, url: String(response.raw.req.url) })
  }
  const passes = (response: LightMyRequestResponse, label: string) => {
    const isGood = response.statusCode >= 200 && response.statusCode < 400
    if (!isGood) fail(response, unfinished(route), label, '2xx')
    return isGood
  }
  // What bob has just read may be kept for others.
  if (!isRead(plan)) await alice.make()
  else if (names.length > 0) passes(await ask(plan, bob, bob.ids), "bob's token, his own")

  for (const swapped of [...names.map((name) => [name]), ...names.length > 1 ? [names] : []]) {
    const label = `alice's token, bob's ${swapped.join(' and ')}`
    const attackWith = async (ids: Ids) => {
      const response = await ask(plan, alice, { ...alice.ids, ...Object.fromEntries(swapped.map((name) => [name, ids[name] ?? ''])) })
      return { response, status: response.statusCode, text: swapped.reduce((text, name) => readId(text, ids[name]).text, response.body) }
    }
    const before = await readBack(swapped, plans, bob)
    const { response, status, text } = await attackWith(bob.ids)
    const isChanged = await readBack(swapped, plans, bob) !== before
    const none = Object.fromEntries(swapped.map((name) => [name, missingLike(bob.ids[name])]))
    const [first, second] = [await attackWith(none), await attackWith(none)]
    if (isChanged) {
      fail(response, repair, `${label}: what bob reads then`, 'as before', 'changed')
      await bob.make()
    }
    const asForNone = `as for none: ${describe(first.response)}`
    const isSame = status === first.status && (text === first.text || first.text !== second.text)
    // A search, or a batch, may find nothing and say so.
    const mayBeEmpty = !swapped.some((name) => inPath.includes(name) || inBody.get(name) === 'one')
    if ((status < 400 || status > 499) && !(mayBeEmpty && isSame)) fail(response, repair, label, mayBeEmpty ? asForNone : '4xx')
    else if (!isSame) fail(response, tells, label, asForNone, status === first.status ? `${status}, another body` : undefined)
  }
  const own = await ask(plan, alice, alice.ids)
  if (passes(own, "alice's token, her own")) {
    const leaked = Object.keys(bob.ids).filter((name) => readId(own.body, bob.ids[name]).has)
    const answer = `${own.statusCode} with bob's ${leaked.join(' and ')}`
    if (leaked.length > 0) fail(own, repair, "alice's token, her own", "nothing of bob's", answer)
  }
  return failures.length > 0 ? [findingOf(route, [...notes], failures)] : []
}

const describe = ({ statusCode, body }: LightMyRequestResponse) => `${statusCode} ${statusCode < 400 ? '' : summaryOf(body)}`.trimEnd()

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
