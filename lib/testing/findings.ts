import { constraintsText } from '../routes/print.js'
import { getNameOf, nameOf, type AppRoute } from './app-routes.js'

/** A request with an unexpected answer: who asked for what, and its path. */
export type Failure = Readonly<Record<'label' | 'expected' | 'answer' | 'url', string>>

/** The faults of a route, or of an option that names one (then `method` is empty). */
export type Finding = ReturnType<typeof findingOf>

/** The end of a note about something that a host may intend. */
export const orAllow = ', or allow: [{names}]'

export const giveParts = 'give what the request needs in params, by {names}: { path, query, headers, body }, and two ' +
  'users with the scopes of the route, whose ids look like those of your app'

export const ofIssuer = 'is the plugin registered with the options of the issuer?'

export const unfinished = `not tried to the end, because alice or bob was refused: ${giveParts}`

export const broken = 'its log has the error. Do the ids of alice and bob look like those of your app?'

export const limited = 'the app limits the rate of requests: raise the limit in tests'

export const tooGenerous = 'alice may act for bob here. Fix: correct option "mayActFor", or give the assertion two ' +
  'users who may not act for each other'

/** What `assertIsolation` says of a route. */
export const notes = {
  staff: 'alice may act for bob here. Fix: give her a token without the scopes of the delegates, or, if it has none, ' +
    'let nothing answer before the guard, such as a cache by URL',
  early: 'something answers before the guard, such as a cache by URL. Fix: register it behind the plugin, or ' +
    'let it keep answers by user',
  kept: ', and let a cache keep answers by user',
  silent: `If nothing was done, though it answers so: answer 404${orAllow}`,
  fruitless: "it answers the same to alice's own id. If it is a search: let objects make what it finds",
  recorded: 'a route shows alice what she sent here, also an id that nobody has: check it, or allow that route if it ' +
    'is a history of searches',
  empty: `it answers the same for what does not exist. Fix: answer 404 where nothing is found${orAllow}`,
  valueless: `Fix: give a function in objects, or a value in params: { {name}: { path } }${orAllow}`,
  unread: `${unfinished}, or let objects make what it shows${orAllow} if it is a WebSocket`,
  undone: `${unfinished}, and records in the state that it wants (in a call of its own, with only)`,
  shared: (read: string) =>
    `, here or where bob reads it, or allow: ['${read}'] if that shows what all may change, or counts what all have`,
  common: `, or let objects make nothing of what all share${orAllow} if it is about what all have`,
  seen: `${orAllow} if all may read it`,
  tells: 'its answer tells that there is such an object. Fix: one query by id and owner, and 404 if it finds none'
}

/** @param notes with `{names}` for the names of the routes as in options, and `{name}` for the first */
export function findingOf (route: AppRoute, notes: string[], failures: Failure[] = []) {
  const { method, url, access, source, constraints } = route
  const level = `(${access}${source && `, ${source}`})${constraintsText(constraints)}`
  return { method, url, level, notes, failures }
}

/** Thrown by the assertions of `fastify-user-scope/testing`. Its message names each route at fault and the reason. */
export class ScopeAssertionError extends Error {
  override readonly name = 'ScopeAssertionError'
  readonly code = 'ERR_ASSERTION'
  /** `METHOD url` of each route at fault. */
  readonly routes: readonly string[]

  constructor (fault: string, findings: readonly Finding[]) {
    // Methods with the same faults are printed together. Only the status is compared, because HEAD has no text.
    const keys = findings.map(({ method, failures, ...rest }) =>
      JSON.stringify([rest, failures.map(({ label, answer }) => [label, answer.split(' ', 1)])]))
    const groups = [...new Set(keys)].map((key) => findings.filter((_finding, i) => keys[i] === key))
    super([`Routes that ${fault}: ${findings.length}`, ...groups.map(print)].join('\n\n'))
    this.routes = findings.map((finding) => nameOf(finding).trimStart())
  }
}

function print (findings: Finding[]): string {
  const [{ url, level, notes, failures }] = findings as [Finding]
  // The name of GET stands for both.
  const nameIn = findings.some(({ method }) => method === 'GET') ? getNameOf : nameOf
  const names = [...new Set(findings.map((finding) => `'${nameIn(finding)}'`))]
  const [first = '', all] = [names[0], names.join(', ')]
  const fill = (note: string) => note.replaceAll('{names}', () => all).replace('{name}', () => first)
  const rows = failures.map(({ label, expected, answer, url }) => [label, expected, answer, url])
  const table = rows.length > 0 ? [['request', 'expected', 'answer', 'path'], ...rows] : []
  const widthOf = (column: number) => Math.max(...table.map((row) => String(row[column]).length))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  ').trimEnd())
  const head = [findings.map(({ method }) => method).join(', '), url, level].filter(Boolean).join(' ')
  return [head, ...notes.map(fill), ...lines].join('\n  ')
}
