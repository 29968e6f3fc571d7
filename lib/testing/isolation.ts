import type { HTTPMethods, LightMyRequestResponse } from 'fastify'
import type { AnyApp, AppRoute } from './app-routes.js'
import { findingOf, orAllow, ScopeAssertionError, unfinished, type Failure, type Finding } from './findings.js'
import { summaryOf } from './held-requests.js'
import { missingLike, Owner, readId, type Ids, type ObjectId, type ObjectMaker } from './objects.js'
import { bobsToken, readPeople, type PeopleWithTokens } from './people.js'
import { fillUrl, hasBody, partsFor, pathFor, requestTo, type RequestParts } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export interface IsolationSettings extends Settings {
  /** How to make objects, by the name that their ids have in paths, queries and bodies. */
  objects: Record<string, ObjectMaker>
}

export type IsolationOptions = IsolationSettings & PeopleWithTokens

/** Where the id of an object stands in the requests to a route, or a list of them. */
interface Slot { readonly part: 'path' | 'query' | 'body', readonly name: string, readonly isList: boolean }

/** How to ask a route. */
interface Plan { readonly route: AppRoute, readonly parts: RequestParts, readonly slots: readonly Slot[] }

const repair = "Fix: look for the object by its owner, too, as in .where('user_id', '=', request.user.id)"
const tells = 'its answer tells that such an object exists. Fix: one query by id and owner, and 404 where it finds nothing'

/**
 * Asserts that alice cannot get at bob's objects by her own path: on each route with an owner, each id of an object in path, query and
 * body is replaced by that of an object of bob's. The answer must be 4xx and the same as for an id that does not exist, bob's object
 * must stay as it is, and nothing that alice may read has its id.
 *
 * Handlers run, those of DELETE last: for a test database.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets alice at bob's objects, or could not be tried
 * @throws TypeError where NODE_ENV is production, alice and bob are one, a maker makes nothing, or no route has what it makes
 */
export async function assertIsolation (app: AnyApp, options: IsolationOptions): Promise<void> {
  if (process.env.NODE_ENV === 'production') throw new TypeError('assertIsolation runs handlers, and NODE_ENV is production: give it a test database')
  const task = await readTask(app, options, ['issuer', 'alice', 'bob', 'objects'], 'assertIsolation')
  const { objects } = options
  const makers = Object.values(Object(objects) as object)
  if (makers.length === 0 || makers.some((maker) => typeof maker !== 'function')) {
    throw new TypeError('option "objects" must have a function for each kind of object: objects: { task_id: async ({ inject, owner }) => id }')
  }
  const tokens = await readPeople(options)
  const alice = new Owner(app, tokens.alice, tokens.good)
  const bob = new Owner(app, tokens.bob, await bobsToken(options))
  const plans = task.judged
    .filter((route) => route.parameter !== null && route.method !== 'OPTIONS' && !task.isAllowed(route))
    .map((route) => planFor(route, partsFor(route, task.params), objects))
  const idle = Object.keys(objects).find((each) => !plans.some(({ slots }) => slots.some(({ name }) => name === each)))
  if (idle !== undefined) throw new TypeError(`objects names "${idle}", and no route with an owner has it in path, query or body`)
  await alice.make(objects)
  await bob.make(objects)

  const findings: Finding[] = []
  // Reading first, while lists are short, and DELETE last.
  const rankOf = ({ route: { method } }: Plan) => ['GET', 'HEAD', undefined, 'DELETE'].indexOf(method) + 1 || 2.5
  for (const plan of plans.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const unknown = valuesIn(plan.route).filter((name) => !Object.hasOwn(objects, name) && plan.parts.path?.[name] === undefined)
    if (unknown.length > 0) {
      findings.push(findingOf(plan.route, [`not tried: what ":${unknown.join('", ":')}" names nobody makes. Give it in objects, or in params: { {name}: { path } }${orAllow}`]))
    } else if (plan.slots.length > 0 || isRead(plan.route)) findings.push(...await judge(plan, plans, alice, bob, objects))
  }
  findings.push(...task.unused())
  if (findings.length > 0) throw new ScopeAssertionError("let others at an owner's objects, or could not be tried", findings)
}

const isRead = ({ method }: AppRoute) => method === 'GET' || method === 'HEAD'

/** The parameters of a route without its owner. */
function valuesIn ({ url, parameter }: AppRoute): string[] {
  const names: string[] = []
  fillUrl(url, (name) => { names.push(name); return '' })
  return names.filter((name) => name !== parameter)
}

function planFor (route: AppRoute, parts: RequestParts, objects: object): Plan {
  const schema = (route.options.schema ?? {}) as Record<string, { properties?: object } | undefined>
  const slotsIn = (part: Slot['part'], values: object) => Object.entries(values)
    .filter(([name]) => Object.hasOwn(objects, name))
    .map(([name, value]) => ({ part, name, isList: Array.isArray(value) || value?.type === 'array' }))
  return {
    route,
    parts,
    slots: [
      ...slotsIn('path', Object.fromEntries(valuesIn(route).map((name) => [name, name]))),
      ...slotsIn('query', { ...(schema.querystring ?? schema.query)?.properties, ...parts.query }),
      ...slotsIn('body', hasBody(route.method) ? { ...schema.body?.properties, ...Object(parts.body) as object } : {})
    ]
  }
}

/** Asks a route as somebody, with these ids in their places. */
async function ask ({ route, parts, slots }: Plan, who: Owner, ids: Ids): Promise<LightMyRequestResponse> {
  const within = (part: Slot['part']) => slots.filter((slot) => slot.part === part)
  const textsIn = (part: Slot['part']) => Object.fromEntries(within(part).map(({ name }) => [name, String(ids[name])]))
  const inBody = Object.fromEntries(within('body').map(({ name, isList }) => [name, isList ? [ids[name]] : ids[name]]))
  const path = pathFor(route, encodeURIComponent(who.id), { path: { ...parts.path, ...textsIn('path') } })
  const { method, ...request } = requestTo(route.method, path, {
    ...parts,
    query: { ...parts.query, ...textsIn('query') },
    ...within('body').length > 0 && { body: { ...Object(parts.body) as object, ...inBody } }
  })
  return await who.inject({ ...request, method: method as HTTPMethods })
}

async function judge (plan: Plan, plans: readonly Plan[], alice: Owner, bob: Owner, objects: Record<string, ObjectMaker>): Promise<Finding[]> {
  const { route, slots } = plan
  const failures: Failure[] = []
  const notes = new Set<string>()
  const fail = (response: LightMyRequestResponse, note: string, label: string, expected: string, answer = describe(response)) => {
    notes.add(note)
    failures.push({ label, expected, answer, url: String(response.raw.req.url) })
  }
  const mustPass = (answer: LightMyRequestResponse, label: string) => {
    const passes = answer.statusCode >= 200 && answer.statusCode < 400
    if (!passes) fail(answer, unfinished(route), label, '2xx')
    return passes
  }
  // What bob has just read may be kept for others.
  if (!isRead(route)) await alice.make(objects)
  else if (slots.length > 0) mustPass(await ask(plan, bob, bob.ids), "bob's token, his own")

  const names = [...new Set(slots.map(({ name }) => name))]
  for (const swapped of [...names.map((name) => [name]), ...names.length > 1 ? [names] : []]) {
    const label = `alice's token, bob's ${swapped.join(' and ')}`
    const none = Object.fromEntries(swapped.map((name) => [name, missingLike(bob.ids[name] as ObjectId)]))
    const attackWith = async (ids: Ids) => {
      const answer = await ask(plan, alice, { ...alice.ids, ...Object.fromEntries(swapped.map((name) => [name, ids[name] as ObjectId])) })
      return { answer, text: swapped.reduce((text, name) => readId(text, ids[name] as ObjectId).text, answer.body) }
    }
    const before = await readBack(swapped, plans, bob)
    const attack = await attackWith(bob.ids)
    const isChanged = await readBack(swapped, plans, bob) !== before
    const [first, second] = [await attackWith(none), await attackWith(none)]
    if (isChanged) {
      fail(attack.answer, repair, `${label}: what bob reads then`, 'as before', 'changed')
      await bob.make(objects)
    }
    const { statusCode } = attack.answer
    const expected = `as for none: ${describe(first.answer)}`
    const isSame = statusCode === first.answer.statusCode && (attack.text === first.text || first.text !== second.text)
    // A search, or a batch, may find nothing and say so.
    const mayBeEmpty = slots.filter(({ name }) => swapped.includes(name)).every(({ part, isList }) => isList || (part === 'query' && isRead(route)))
    const isRefused = statusCode >= 400 && statusCode < 500
    if (!isRefused && !(mayBeEmpty && isSame)) fail(attack.answer, repair, label, mayBeEmpty ? expected : '4xx')
    else if (!isSame) fail(attack.answer, tells, label, expected, statusCode === first.answer.statusCode ? `${statusCode}, another body` : undefined)
  }
  const own = await ask(plan, alice, alice.ids)
  if (mustPass(own, "alice's token, her own")) {
    const leaked = Object.keys(bob.ids).filter((name) => readId(own.body, bob.ids[name] as ObjectId).has)
    if (leaked.length > 0) fail(own, repair, "alice's token, her own", "nothing of bob's", `${own.statusCode} with bob's ${leaked.join(' and ')}`)
  }
  return failures.length > 0 ? [findingOf(route, [...notes], failures)] : []
}

const describe = ({ statusCode, body }: LightMyRequestResponse) => `${statusCode} ${statusCode < 400 ? '' : summaryOf(body)}`.trimEnd()

/** What bob reads of these objects: by the routes that have them in their paths, else by his lists. */
async function readBack (names: readonly string[], plans: readonly Plan[], bob: Owner): Promise<string> {
  const reads = plans.filter(({ route }) => route.method === 'GET').map((plan) => ({ plan, inPath: valuesIn(plan.route) }))
  const direct = reads.filter(({ inPath }) => inPath.some((name) => names.includes(name)))
  const answers: string[] = []
  for (const { plan } of direct.length > 0 ? direct : reads.filter(({ inPath }) => inPath.length === 0)) {
    const { statusCode, body } = await ask(plan, bob, bob.ids)
    answers.push(`${statusCode} ${body}`)
  }
  return answers.join('\n')
}
