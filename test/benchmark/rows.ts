/** The rows of the table: which server does what, with which tokens. */
import { makeToken, type Algorithm } from './tokens.js'

export type Group = 'lets in, HS256' | 'lets in, keys of an issuer (JWKS)' | 'refuses'
/**
 * What the tokens of a run are. `new`: none came before, as there are more than a run of one second needs.
 */
type Load = 'one' | 'many' | 'new' | 'forged' | 'expired' | 'none'

export interface Row {
  readonly name: string
  readonly group: Group
  readonly contender: string
  readonly algorithm: Algorithm
  readonly load: Load
  readonly cache?: unknown
}

const row = (
  group: Group,
  name: string,
  contender: string,
  load: Load = 'one',
  { algorithm = 'HS256' as Algorithm, cache = undefined as unknown } = {}
): Row =>
  ({ group, name, contender, load, algorithm, ...cache !== undefined && { cache } })

const byKeys = (name: string, contender: string, ...algorithms: Algorithm[]) =>
  algorithms.map((algorithm) =>
    row('lets in, keys of an issuer (JWKS)', `${name}, ${algorithm}`, contender, 'one', { algorithm }))

export const base = 'Fastify without auth'
export const reference = '@fastify/jwt'
/** What a known token costs at least: a look-up and two comparisons. It verifies nothing. */
export const byHand = 'floor'
export const rows: Row[] = [
  // Side by side what is compared, as the speed of a machine changes.
  row('lets in, HS256', base, 'no-auth'),
  row('lets in, HS256', 'Fastify without auth, 5,000 tokens', 'no-auth', 'many'),
  row('lets in, HS256', 'floor, one token', byHand),
  row('lets in, HS256', 'fastify-user-scope, one token', 'user-scope'),
  row('lets in, HS256', 'floor, 5,000 tokens', byHand, 'many'),
  row('lets in, HS256', 'fastify-user-scope, 5,000 tokens', 'user-scope', 'many'),
  row('lets in, HS256', '@fastify/jwt, each token new', '@fastify/jwt', 'new'),
  row('lets in, HS256', 'fastify-user-scope, each token new', 'user-scope', 'new'),
  row('lets in, HS256', reference, '@fastify/jwt'),
  row('lets in, HS256', 'fastify-user-scope, cache: false', 'user-scope', 'one', { cache: false }),
  row('lets in, HS256', '@fastify/jwt, verify.cache: true', '@fastify/jwt', 'one', { cache: true }),
  row('lets in, HS256', 'Hono jwt', 'hono'),
  row('lets in, HS256', 'Express, express-oauth2-jwt-bearer', 'express'),
  row('lets in, HS256', 'FastAPI, python-jose', 'fastapi'),
  row('refuses', '@fastify/jwt, no token', '@fastify/jwt', 'none'),
  row('refuses', 'fastify-user-scope, no token', 'user-scope', 'none'),
  row('refuses', '@fastify/jwt, forged', '@fastify/jwt', 'forged'),
  row('refuses', 'fastify-user-scope, forged', 'user-scope', 'forged'),
  row('refuses', '@fastify/jwt, expired', '@fastify/jwt', 'expired'),
  row('refuses', 'fastify-user-scope, expired', 'user-scope', 'expired'),
  ...byKeys('fastify-user-scope', 'user-scope', 'EdDSA', 'ES256', 'RS256'),
  ...byKeys('fastify-jwt-jwks', 'fastify-jwt-jwks', 'EdDSA', 'RS256'),
  ...byKeys('express-oauth2-jwt-bearer', 'express', 'EdDSA', 'ES256', 'RS256'),
  ...byKeys('Hono jwk', 'hono', 'RS256')
]

export interface Request { method: 'GET', path: string, headers: Record<string, string> }

export const request = (user: string, token?: string): Request => ({
  method: 'GET',
  path: `/api/${user}/tasks`,
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
})

const counts: Record<Load, number> = { one: 1, many: 5000, new: 30_000, forged: 1, expired: 1, none: 1 }

export function requestsOf ({ load, algorithm }: Row): Request[] {
  return Array.from({ length: counts[load] }, (_, index) => {
    const user = `user-${index}`
    if (load === 'none') return request(user)
    return request(user, makeToken(algorithm, user, { forged: load === 'forged', expired: load === 'expired' }))
  })
}

export const statusOf = ({ load }: Row) => load === 'one' || load === 'many' || load === 'new' ? 200 : 401

/** Rows that are measured against another, and those others. */
export const isInRatio = ({ name, algorithm }: Row): boolean =>
  algorithm === 'HS256' && !/verify.cache|Hono|Express|FastAPI|without auth,/.test(name)
