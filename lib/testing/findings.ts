import { asGet, isSameUrl } from './app-routes.js'
import type { HeldAnswer, HeldRequest } from './held-requests.js'
import { nameOf } from './app-routes.js'
import { wireBody } from './request-body.js'

/** A request that was not answered as it must be. */
export interface Failure {
  /** Who asked for what. */
  readonly label: string
  readonly expected: string
  readonly answer: string
  readonly request: HeldRequest
}

/** What is wrong with a route. */
export interface Finding {
  /** None where an option named it. */
  readonly methods: readonly string[]
  readonly url: string
  /** Its level and constraints, or what else tells it from others. */
  readonly level: string
  /** What can be said of it besides; `{names}` stands for its names as options take them, `{name}` for the first. */
  readonly notes: readonly string[]
  readonly failures: readonly Failure[]
  /** The request to repeat. Default: that of a failure. */
  readonly request?: HeldRequest
}

/** Thrown by the assertions of `fastify-user-scope/testing`. Its message names each route at fault, and how to repeat the request. */
export class ScopeAssertionError extends Error {
  override readonly name = 'ScopeAssertionError'
  readonly code = 'ERR_ASSERTION'
  /** `METHOD url` of each route at fault. */
  readonly routes: readonly string[]

  /** @param fault what the routes do */
  constructor (fault: string, findings: readonly Finding[]) {
    const routes = findings.flatMap(({ methods, url }) => methods.length > 0 ? methods.map((method) => nameOf({ method, url })) : [url])
    super([`Routes that ${fault}: ${routes.length}`, ...join(findings).map(print)].join('\n\n'))
    this.routes = routes
  }
}

/** Methods of one URL of which the same is to be said stand together; of the answers the status is compared, as HEAD has no text. */
function join (findings: readonly Finding[]): Finding[] {
  const joined = new Map<string, Finding>()
  for (const finding of findings) {
    const { url, level, notes, failures } = finding
    const key = JSON.stringify([url, level, notes, failures.map(({ label, answer }) => [label, answer.split(' ', 1)])])
    const known = joined.get(key)
    joined.set(key, known ? { ...known, methods: [...known.methods, ...finding.methods] } : finding)
  }
  return [...joined.values()]
}

export function describeAnswer ({ status, reached, notFound, says }: Omit<HeldAnswer, 'params'>, url: string): string {
  if (reached !== null) return isSameUrl(reached, url) ? 'its handler' : `the handler of ${reached}`
  if (notFound) return '404, no route'
  return [status || 'none:', says].filter(Boolean).join(' ')
}

function print ({ methods, url, level, notes, failures, request }: Finding): string {
  const names = [...new Set(methods.map((method) => `'${nameOf(asGet({ method, url }))}'`))]
  const fill = (note: string) => note.replace('{names}', () => names.join(', ')).replace('{name}', () => String(names[0]))
  const rows = failures.map(({ label, expected, answer }) => [label, expected, answer])
  const table = rows.length > 0 ? [['request', 'expected', 'answer'], ...rows] : []
  const widths = [0, 1].map((column) => Math.max(0, ...table.map((row) => String(row[column]).length)))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
  // Of several that on somebody else's path says most.
  const repeat = request ?? (failures.find(({ expected }) => expected === '403') ?? failures[0])?.request
  return [[methods.join(', '), url, level].filter(Boolean).join(' '), ...[...notes.map(fill), ...lines, ...repeat ? [curl(repeat)] : []].map((line) => `  ${line}`)].join('\n')
}

/** A line to repeat the request; of tokens the beginning only, and of bytes their number. */
export function curl (request: HeldRequest): string {
  const { method, url, headers = {} } = request
  const { payload, contentType } = wireBody(request)
  // Of a name in two spellings the last counts, as where it was sent.
  const fields = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), field(name, value)]))
  if (contentType !== undefined) fields.set('content-type', field('content-type', contentType))
  // It would call it a form.
  else if (payload !== undefined && !fields.has('content-type')) fields.set('content-type', 'content-type:')
  return [
    'curl -i',
    /[[\]{}]/.test(url) ? '-g' : '', // they are no lists of URLs
    method === 'HEAD' ? '--head' : method === 'GET' ? '' : `-X ${method}`,
    ...[...fields.values()].map((text) => `-H ${quote(text)}`),
    payload === undefined ? '' : data(payload),
    quote(`http://localhost${url}`)
  ].filter(Boolean).join(' ')
}

/** With a semicolon curl sends an empty one, and leaves it out with a colon. */
function field (name: string, value: string): string {
  if (value === '') return `${name};`
  return `${name}: ${/^(proxy-)?authorization$|cookie/i.test(name) ? shorten(value) : value}`
}

function data (payload: string | object): string {
  // What begins with `@` would name a file.
  if (typeof payload === 'string') return `${payload.startsWith('@') ? '--data-raw' : '-d'} ${quote(payload)}`
  return `--data-binary '<${Buffer.isBuffer(payload) ? `${payload.length} bytes` : payload.constructor.name}>'`
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

const shorten = (value: string) => value.length > 24 ? `${value.slice(0, 20)}…` : value
