import { Type } from '@sinclair/typebox'
import { parametersOf } from '../routes/url.js'
import type { AnyApp, AppRoute } from './app-routes.js'
import { isMine, Owner, planFor, type ObjectMakers, type Plan } from './objects.js'
import { readIds, tokensOf, type People, type Person } from './people.js'
import { findChanges, isShared, readAll, readsOf } from './reads.js'
import { readTask, type Settings } from './settings.js'
import { Stage } from './stage.js'
import { Trial } from './trial.js'

export type IsolationOptions = People<Person> & Settings & {
  /** For each kind of object, by the name of its id in paths, queries and bodies: a function that makes one. */
  objects: ObjectMakers
}

const inProduction = 'assertIsolation runs handlers, and NODE_ENV is production. Fix: give the app a test database, ' +
  'and run the test with another NODE_ENV'
const makers = Type.Record(Type.String(), Type.Function([], Type.Unknown()), {
  minProperties: 1, expects: 'a function for each kind of object: { task_id: async ({ inject, owner }) => id }'
})

/**
 * Asserts that alice cannot reach bob's records through her own path. Bob's ids are sent in path, query and body to
 * each route with the owner in its URL, and to each of level `user` that takes such an id or has a segment `me`. The
 * answer must be 4xx and the same as for an id that does not exist, bob's records must not change, and nothing that
 * alice reads may have their ids or change when bob makes one. Where GET reads one record, GET of its list is read too.
 *
 * Handlers run, so use a test database. DELETE comes late, writes without an id come last.
 * @param app is made ready
 * @throws ScopeAssertionError that names every route which lets alice reach bob's records, or could not be tested
 * @throws TypeError if NODE_ENV is production, or if a maker returns no id, the same id twice, or one no route takes
 */
export async function assertIsolation (app: AnyApp, options: IsolationOptions): Promise<void> {
  if (process.env.NODE_ENV === 'production') throw new TypeError(inProduction)
  const task = await readTask(app, options, { objects: makers }, 'assertIsolation')
  const { objects } = options
  const ids = readIds(options)
  const alice = new Owner(app, ids.alice, (await tokensOf('alice', options)).good, objects)
  const bob = new Owner(app, ids.bob, (await tokensOf('bob', options)).good, objects)
  // The routes of this call come first.
  const routes = [...new Set([...task.judged, ...task.routes])]
    .filter((route) => !task.isAllowed(route) && route.method !== 'OPTIONS')
  const lists = new Set(routes.filter((route) => task.judged.includes(route)).map((route) => listOf(route, objects)))
  const isList = ({ access, method, url }: AppRoute) =>
    access === 'user' && method === 'GET' && lists.has(url.replace(/\/?$/, '/'))
  const all = routes.map((route) => planFor(route, task.params, objects, isList(route)))
  const judged = all.filter(({ route }) => task.judged.includes(route))
  const plans = judged.filter(({ route, kinds }) =>
    route.parameter !== null || (route.access === 'user' && (kinds.length > 0 || isMine(route))))
  const kinds = Object.keys(objects)
  const idle = kinds.find((kind) => !plans.some((plan) => plan.kinds.includes(kind)))
  if (idle !== undefined) {
    const place = `{ 'POST /…': { body: { ${idle}: '' } } }`
    throw new TypeError(`objects names "${idle}", and no route of level 'owner' or 'user' has it in its path, or in ` +
      `a query or body of its schema or of params. Fix: say where it goes, as in params: ${place}, or remove it`)
  }
  await alice.make()
  const [reads, everything] = [readsOf(plans), readsOf(all)]
  const hers = reads.filter((plan) => !isShared(plan))
  await readAll(alice, hers)
  const before = await readAll(alice, hers)
  await bob.make()
  const twin = kinds.find((kind) => alice.ids[kind] === bob.ids[kind])
  if (twin !== undefined) {
    throw new TypeError(`objects.${twin} made "${alice.ids[twin]}" for alice and for bob, which nobody can tell ` +
      'apart. Fix: let it make two, unless the app gave bob what is alice\'s; what they share, or each counts for ' +
      'themselves, goes into params')
  }
  // Bob has an object before the tested one and one after it: a list that starts there shows one of them, in either
  // order.
  const first = bob.ids
  await bob.make()
  const middle = bob.ids
  await bob.make()
  Object.assign(bob, { ids: middle, others: [first, bob.ids] })
  await readAll(bob, reads)
  // Nothing that alice reads may change when bob makes something, such as a count of all.
  const changes = new Map(await findChanges(alice, before))
  const stage = new Stage(alice, bob, reads.filter((plan) => !changes.has(plan)), everything)
  for (const plan of readsOf(judged).filter((plan) => isList(plan.route) && !plans.includes(plan))) {
    // A stream that never ends is not read: nobody said that this is a list.
    const finding = await new Trial(plan, stage).readList().catch(() => null)
    if (finding) task.report(finding)
  }
  // Reads first, while lists are short, and DELETE late. Writes without an id come last, as they may end her session
  // (a logout); of those, short URLs, as they may remove all that is below (an account).
  const rank = ({ route, kinds, isRead }: Plan) =>
    isRead ? 0 : 1 + Number(route.method === 'DELETE') + 2 * Number(kinds.length === 0)
  for (const plan of plans.toSorted((a, b) => rank(a) - rank(b) || b.route.url.length - a.route.url.length)) {
    task.report(await new Trial(plan, stage).run(changes.get(plan)))
  }
  task.conclude("let others reach an owner's objects, or could not be tried")
}

/** If a route of level `user` reads one record: the URL of their list, with a slash at its end. */
function listOf ({ access, method, url, parameter }: AppRoute, objects: ObjectMakers): string | undefined {
  const last = parametersOf(url).at(-1)
  if (access !== 'user' || method !== 'GET' || !last || !Object.hasOwn(objects, last.name)) return undefined
  if (last.name === parameter?.name) return undefined // a list of users, whom all may know
  return ['', '/'].includes(last.after) ? last.before : undefined
}
