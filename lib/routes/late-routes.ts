import type { FastifyInstance, HTTPMethods } from 'fastify'
import { assertSoundUrl } from './access.js'
import { AlreadyRegisteredError } from '../contract/errors.js'

/** The names that the hooks of one registration carry in `printRoutes`. */
export interface HookNames {
  /** On every route of the scope. */
  readonly guard: string
  /** On those alone that `onRoute` saw. */
  readonly seen: string
}

/** `constraints`: as the router prints them, in JSON; empty where there are none. */
export interface LateRoute { readonly method: string, readonly url: string, readonly constraints: string }

let registrations = 0

export function nameHooks (): HookNames {
  const id = ++registrations
  return { guard: `userScope#${id}`, seen: `userScopeRoute#${id}` }
}

/**
 * The routes that the guard covers, but whose `onRoute` it did not see: declared before the plugin, or right after a `register` that
 * was not awaited. Fastify shows them in `printRoutes` only.
 * @param seen `METHOD url` of the others
 * @throws InvalidRouteError for what the URL alone shows to be wrong
 * @throws AlreadyRegisteredError for a route that two registrations guard
 */
export function findLateRoutes (fastify: FastifyInstance, names: HookNames, param: string, seen: ReadonlySet<string>): LateRoute[] {
  if (wereAllSeen(fastify, seen)) return []
  const printed = print(fastify, ['onRequest', 'preHandler'])
  if (seen.size > 0 && !printed.includes(names.guard)) {
    fastify.log.warn('fastify-user-scope: printRoutes shows no hooks here, so that routes declared before the plugin are not named; they are guarded all the same')
  }
  const guarded = readRoutes(printed).filter(({ hooks }) => hooks.includes(`"${names.guard}()"`))
  for (const { methods, url, hooks } of guarded) {
    if (new Set(hooks.match(/"userScope#\d+\(\)"/g)).size > 1) {
      throw new AlreadyRegisteredError(`route ${methods} ${url} is guarded twice: the plugin is registered in a context and in one around it. Keep one of them, or make the contexts siblings`)
    }
  }
  const late = guarded.filter(({ hooks }) => !hooks.includes(`"${names.seen}()"`))
    .flatMap(placesOf)
    // A hook of the host may have taken the mark of one that was seen.
    .filter((place) => !seen.has(nameOf(place)))
  for (const { method, url } of late) {
    // Two routes that name a parameter differently share a node of the router, which prints both names; a request is judged by its own.
    if (!url.includes('|')) assertSoundUrl(url, undefined, param, `route ${method} ${url} (declared before the plugin: await its registration first)`)
  }
  return late
}

/** The hooks are most of what is printed, and nobody has to know them where no route is new: one that two registrations guard is new to one of them. */
function wereAllSeen (fastify: FastifyInstance, seen: ReadonlySet<string>): boolean {
  const places = readRoutes(print(fastify)).flatMap(placesOf)
  return places.length >= seen.size && places.every((place) => seen.has(nameOf(place)))
}

/** By which a route is named in options, messages and sets. */
export const nameOf = ({ method, url }: Pick<LateRoute, 'method' | 'url'>): string => `${method} ${url}`

/**
 * Method by method, as the router has a tree for each; for that of all of them it would have to declare every route once more.
 * A `buildPrettyMeta` of the host's may throw.
 */
function print (fastify: FastifyInstance, hooks?: string[]): string {
  try {
    return fastify.supportedMethods.map((method) => fastify.printRoutes({ method: method as HTTPMethods, ...hooks && { includeMeta: hooks } })).join('\n')
  } catch {
    return ''
  }
}

export interface PrintedRoute { url: string, methods: string, constraints: string, hooks: string }

/** Each of its methods. */
export const placesOf = ({ methods, url, constraints }: PrintedRoute): LateRoute[] => methods.split(', ').map((method) => ({ method, url, constraints }))

/** Reads the tree that the router draws: a node extends the URL of the node above it; routes and their hooks follow it, indented. */
export function readRoutes (printed: string): PrintedRoute[] {
  const routes: PrintedRoute[] = []
  const path: string[] = []
  for (const line of printed.split('\n')) {
    const [, indent, branch, text] = /^((?:│ {3}| {4})*)(├── |└── )?(.*)$/su.exec(line) as unknown as [string, string, string | undefined, string]
    const [, prefix = text, methods, constraints = ''] = /^(.*) \(([A-Z-]+(?:, [A-Z-]+)*)\)(?: (\{.*\}))?$/u.exec(text) ?? []
    if (branch) path.splice(indent.length / 4, Infinity, prefix === '(empty root node)' ? '' : prefix)
    const last = routes.at(-1)
    if (methods) routes.push({ url: path.join(''), methods, constraints, hooks: '' })
    else if (last && text.startsWith('• (')) last.hooks += text
  }
  return routes
}
