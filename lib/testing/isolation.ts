import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import type { LightMyRequestResponse as Response } from 'fastify'
import type { AnyApp } from './app-routes.js'
import { findingOf, orAllow, ScopeAssertionError, unfinished, type Failure, type Finding } from './findings.js'
import { summaryOf } from './held-requests.js'
import { ask, planFor, type Plan } from './object-requests.js'
import { missingLike, Owner, readId, type Ids, type ObjectId, type ObjectMakers } from './objects.js'
import { named } from './options.js'
import { readIds, tokensOf, type People, type Person } from './people.js'
import { readTask, type Settings } from './settings.js'

export type IsolationOptions = People<Person> & Settings & { objects: ObjectMakers }

const makers = Type.Record(Type.String(), Type.Function([], Type.Unknown()), {
  minProperties: 1, expects: 'a function for each kind of object: { task_id: async ({ inject, owner }) => id }'
})

const early = 'something answers before the guard, such as a cache by URL. Fix: register it behind the plugin, or ' +
  'let it keep answers by user'
const silent = `If nothing was done, though it answers so: answer 404${orAllow}`
const tells = 'its answer tells that there is such an object. Fix: one query by id and owner, and 404 if it finds none'

/**
 * Asserts that alice cannot get at bob's objects by her own path: on each route with an owner, and each of level `user`
 * that takes such an id, the id of an object in path, query and body is replaced by that of an object of bob's. The
 * answer must be 4xx and the same as for an id that does not exist, bob's object must stay as it is (routes without an
 * id must not change it either), and nothing that alice may read has its id.
 *
 * Handlers run, those of DELETE last: for a test database.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets alice at bob's objects, or could not be tried
 * @throws TypeError where NODE_ENV is production, or a maker makes nothing, the same twice, or what no route has
 */
export async function assertIsolation (app: AnyApp, options: IsolationOptions): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new TypeError('assertIsolation runs handlers, and NODE_ENV is production: give it a test database')
  }
  const task = await readTask(app, options, { ...named('issuer', 'alice', 'bob'), objects: makers }, 'assertIsolation')
  const { objects } = options
  const ids = readIds(options)
  const alice = new Owner(app, ids.alice, (await tokensOf('alice', options)).good, objects)
  const bob = new Owner(app, ids.bob, (await tokensOf('bob', options)).good, objects)
  const plans = task.judged.map((route) => planFor(route, task.params, objects))
    .filter(({ route, places }) => route.parameter !== null || (route.access === 'user' && places.length > 0))
    .filter(({ route }) => route.method !== 'OPTIONS' && !task.isAllowed(route))
  const kinds = Object.keys(objects)
  const idle = kinds.find((kind) => !plans.some(({ places }) => places.some(({ name }) => name === kind)))
  if (idle !== undefined) throw new TypeError(`objects names "${idle}", and no route has it in path, query or body`)
  await alice.make()
  await bob.make()
  const twin = kinds.find((kind) => alice.ids[kind] === bob.ids[kind])
  if (twin !== undefined) {
    throw new TypeError(`objects.${twin} made "${alice.ids[twin]}" for alice and for bob, which nobody can tell ` +
      'apart. Fix: let it make two, or give the one to routes in params')
  }
  const findings: Finding[] = []
  // Reading first, while lists are short, and DELETE last; what takes no id, such as a logout, may end all of hers.
  const rank = ({ route, places }: Plan) =>
    isRead(route) ? 0 : 1 + Number(route.method === 'DELETE') + 2 * Number(places.length === 0)
  for (const plan of plans.toSorted((a, b) => rank(a) - rank(b))) findings.push(...await judge(plan, plans, alice, bob))
  findings.push(...task.inVain())
  const fault = "let others at an owner's objects, or could not be tried"
  if (findings.length > 0) throw new ScopeAssertionError(fault, findings)
}

const isRead = ({ method }: { method: string }) => ['GET', 'HEAD'].includes(method)

async function judge (plan: Plan, plans: readonly Plan[], alice: Owner, bob: Owner): Promise<Finding[]> {
  const { route, places, unknown } = plan
  if (unknown.length > 0) {
    const fix = 'Give it in objects, or in params: { {name}: { path } }'
    return [findingOf(route, [`not tried: what ":${unknown.join('", ":')}" names nobody makes. ${fix}${orAllow}`])]
  }
  const names = [...new Set(places.map(({ name }) => name))]
  const repair = 'Fix: look for the object by its owner, too, as in ' +
    `.where('user_id', '=', ${route.parameter === null ? 'request.user.id' : 'getOwnerId(request)'})`
  const failures: Failure[] = []
  const notes = new Set<string>()
  const fail = (given: Response, note: string, label: string, expected: string, answer = describe(given)) => {
    notes.add(note)
    failures.push({ label, expected, answer, url: String(given.raw.req.url) })
  }
  const mustPass = (given: Response, label: string) => {
    if (given.statusCode < 200 || given.statusCode >= 400) fail(given, unfinished, label, '2xx')
  }
  /** Alice asks with these ids; what bob reads must stay as it was. */
  const attack = async (picked: string[], ids: Parameters<typeof ask>[2], label: string) => {
    const before = await readBack(picked, plans, bob)
    const given = await ask(plan, alice, { ...alice.ids, ...ids })
    const after = await readBack(picked, plans, bob)
    if (after === before) return given
    const mayTick = withoutDigits(after) === withoutDigits(before)
    await sleep(mayTick ? 1100 : 2)
    const later = await readBack(picked, plans, bob)
    // What is never twice the same, such as a signed URL or the digits of a clock, tells nothing.
    const [was, next] = [digitsIn(before), digitsIn(later)]
    const isStill = mayTick ? digitsIn(after).some((n, i) => n !== was[i] && n === next[i]) : later === after
    if (!isStill) return given
    fail(given, repair, `${label}: what bob reads then`, 'as before', 'changed')
    await bob.make()
    return given
  }
  if (isRead(route)) {
    const own = await ask(plan, bob, bob.ids)
    if (names.length > 0) mustPass(own, "bob's token, his own")
    if (route.access === 'owner') {
      // What bob has just read may be kept for others.
      const given = await ask(plan, new Owner(alice.app, bob.id, alice.token, {}), bob.ids)
      if (given.statusCode < 400) fail(given, early, "alice's token, bob's path", '403')
    }
  } else if (names.length > 0) await alice.make()

  for (const picked of [...names.map((name) => [name]), ...names.length > 1 ? [names] : []]) {
    const label = `alice's token, bob's ${picked.join(' and ')}`
    const his: Ids = Object.fromEntries(picked.map((name) => [name, bob.ids[name] as ObjectId]))
    const none: Ids = Object.fromEntries(picked.map((name) => [name, missingLike(bob.ids[name])]))
    const textOf = ({ body }: Response, ids: Ids) =>
      picked.reduce((text, name) => readId(text, ids[name], name).text, body)
    const given = await attack(picked, his, label)
    const forNone = await ask(plan, alice, { ...alice.ids, ...none })
    // What changes by itself, such as a time, does so between these two.
    const again = await ask(plan, alice, { ...alice.ids, ...his })
    const isAlike = given.statusCode === forNone.statusCode
    const text = textOf(given, his)
    const isSame = isAlike && (text === textOf(forNone, none) || text !== textOf(again, his))
    // A search, or a batch, may find nothing and say so.
    const mayBeEmpty = places.every(({ name, part, isList }) => !picked.includes(name) || part === 'query' || isList)
    const isRefused = given.statusCode >= 400 && given.statusCode < 500
    const asForNone = `as for none: ${describe(forNone)}`
    // Such as tasks, where the list is bob's.
    const hasOthers = Object.entries(bob.ids).some(([name, id]) =>
      !Object.values(his).includes(id) && readId(text, id, name).has)
    if (!isRefused && (hasOthers || !(mayBeEmpty && isSame))) {
      fail(given, repair, label, mayBeEmpty ? asForNone : '4xx')
      if (isSame && !isRead(route)) notes.add(silent)
    } else if (!isSame) fail(given, tells, label, asForNone, isAlike ? `${given.statusCode}, another body` : undefined)
  }
  for (const { name } of places.filter(({ isList }) => isList)) {
    const label = `alice's token, her ${name} and bob's`
    const none = missingLike(bob.ids[name])
    const forNone = await ask(plan, alice, { ...alice.ids, [name]: [alice.ids[name], none] })
    await alice.make()
    const given = await attack([name], { [name]: [alice.ids[name], bob.ids[name]] }, label)
    await alice.make()
    // It may say which ids it does not know.
    const isLeak = readId(given.body, bob.ids[name], name).has && !readId(forNone.body, none, name).has
    if (isLeak) fail(given, repair, label, "nothing of bob's", `${given.statusCode} with bob's ${name}`)
  }
  const label = "alice's token, her own"
  const own = isRead(route) ? await ask(plan, alice, alice.ids) : await attack(Object.keys(bob.ids), {}, label)
  if (names.length > 0 || isRead(route)) mustPass(own, label)
  const leaked = Object.keys(bob.ids).filter((name) => readId(own.body, bob.ids[name], name).has)
  if (leaked.length > 0) {
    fail(own, repair, label, "nothing of bob's", `${own.statusCode} with bob's ${leaked.join(' and ')}`)
  }
  return failures.length > 0 ? [findingOf(route, [...notes], failures)] : []
}

const withoutDigits = (text: string) => text.replace(/\d+/g, '')
const digitsIn = (text: string) => text.split(/\D+/)

const describe = ({ statusCode, body }: Response) =>
  statusCode < 400 ? String(statusCode) : `${statusCode} ${summaryOf(body)}`.trimEnd()

/** What bob reads of these objects: by the routes that have them in their paths, else by his lists. */
async function readBack (names: readonly string[], plans: readonly Plan[], bob: Owner): Promise<string> {
  const reads = plans.filter(({ route, unknown }) => route.method === 'GET' && unknown.length === 0)
  const inPath = ({ places }: Plan) => places.filter(({ part }) => part === 'path').map(({ name }) => name)
  const direct = reads.filter((plan) => inPath(plan).some((name) => names.includes(name)))
  const answers: string[] = []
  for (const plan of direct.length > 0 ? direct : reads.filter((plan) => inPath(plan).length === 0)) {
    const { statusCode, body } = await ask(plan, bob, bob.ids)
    answers.push(`${statusCode} ${body}`)
  }
  return answers.join('\n')
}
