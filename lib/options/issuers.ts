import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import type { Fetch, IssuerOptions, OtherToken } from '../contract/issuer.js'
import { compileOtherTokens, otherTokensSchema, type TokenForm } from './other-tokens.js'
import { compileMachine, machineSchema } from './machine.js'
import { claimName, flag, oneOf, oneOrMore, seconds, text, texts } from './schemas.js'

/** Asymmetric signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export const issuerAlgorithms = [
  'EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'
] as const

export const issuerSchema = Type.Object({
  issuer: text('a non-empty string, compared with "iss" exactly, without white space at its ends'),
  audience: Type.Union([Type.Literal(false), ...oneOrMore()], {
    expects: 'a non-empty string or a list of them, without white space at their ends, of which "aud" must have one, ' +
      'or false with requiredClaims'
  }),
  jwksUri: Type.Optional(text('the URL of the JWK Set, as a string', /[^]/)),
  discovery: Type.Optional(flag),
  algorithms: Type.Optional(Type.Array(oneOf(issuerAlgorithms), {
    minItems: 1, uniqueItems: true, expects: `a list of ${issuerAlgorithms.join(', ')}, each at most once`
  })),
  idPrefix: Type.Optional(Type.String({
    pattern: '^([^\\u0000-\\u001f\\u007f-\\u009f]*:)?$', expects: 'an empty string, or a text that ends in ":"'
  })),
  userIdClaim: Type.Optional(claimName),
  scopeClaim: Type.Optional(claimName),
  typ: Type.Optional(texts('a non-empty string or a list of them, without white space at their ends')),
  requiredClaims: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Literal(true), ...oneOrMore(/[^]/)], {
    expects: 'true, a string or a list of strings (for other values: option "claims")'
  }), { expects: 'an object: claim name to true, a string or a list of strings' })),
  machine: Type.Optional(machineSchema),
  otherTokens: Type.Optional(Type.Unsafe<readonly OtherToken[]>(otherTokensSchema)),
  lazy: Type.Optional(flag),
  timeout: Type.Optional(seconds(0.1, 60)),
  maxAge: Type.Optional(seconds(1, 86_400)),
  cooldown: Type.Optional(seconds(1, 3600)),
  maxStale: Type.Optional(seconds(0, 604_800)),
  maxBytes: Type.Optional(Type.Integer({
    minimum: 1024, maximum: 16_777_216, expects: 'a number of bytes from 1024 to 16777216'
  })),
  allowInsecureJwks: Type.Optional(flag),
  fetch: Type.Optional(Type.Unsafe<Fetch>(Type.Function([], Type.Any(), { expects: 'a function like fetch' })))
}, {
  additionalProperties: false,
  note: 'clockTolerance, maxTokenAge and claims are options of the plugin',
  expects: 'an object: { issuer, audience, jwksUri, … }, or what a preset returns'
})

/** A validated issuer. Times are in seconds, but `timeout` is in whole milliseconds for AbortSignal. */
export interface IssuerSettings extends Readonly<Required<Pick<IssuerOptions,
  'issuer' | 'idPrefix' | 'userIdClaim' | 'lazy' | 'timeout' | 'maxAge' | 'cooldown' | 'maxStale' | 'maxBytes' |
  'algorithms' | 'allowInsecureJwks' | 'fetch'>>> {
  /** `aud` must have one of these. Undefined: not checked. */
  readonly audience: readonly string[] | undefined
  /** Undefined: found by discovery. */
  readonly jwksUri: string | undefined
  /** Undefined: `scope` if the token has it, else `scp`. */
  readonly scopeClaim: string | undefined
  /** The allowed values of the header's `typ`, normalized by `mediaType`. A token without one counts as `jwt`. */
  readonly types: readonly string[]
  /** The allowed values of required claims; true allows any. */
  readonly requiredClaims: Readonly<Record<string, true | readonly unknown[]>>
  /** Whether a payload is an application's. */
  readonly isMachine: (payload: Record<string, unknown>) => boolean
  /** Tokens for other purposes that the same keys sign. */
  readonly otherTokens: readonly TokenForm[]
}

const inEveryToken = ['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'] // so they do not identify an application

/**
 * Reads the entries of option `issuers`.
 * @param hasSecret whether tokens signed with a secret are accepted too
 * @throws InvalidOptionError that names the entry and its option
 */
export function readIssuers (entries: readonly IssuerOptions[] = [], hasSecret: boolean): readonly IssuerSettings[] {
  const settings = entries.map((entry, index) => {
    const fail = (says: string) => { throw new InvalidOptionError(`option "issuers.${index}.${says}`) }
    if (entry.issuer === 'secret') fail('issuer" is "secret", which stands for tokens signed with one')
    const isKnown = entries.slice(0, index).some(({ issuer }) => issuer === entry.issuer)
    if (isKnown) fail('issuer" is already in the list. Merge the two entries')
    const stated = Object.entries(entry.requiredClaims ?? {}).filter(([, value]) => value !== true)
    if (entry.audience === false && stated.every(([name]) => inEveryToken.includes(name))) {
      fail('audience" is false and nothing stands in for it: tokens for every application of the issuer would pass. ' +
        'Fix: state the audience, or what tells your application in requiredClaims, such as { client_id: \'web\' }')
    }
    if (entry.jwksUri === undefined && !entry.discovery) fail('jwksUri" is missing. Give it, or set discovery: true')
    if (entry.jwksUri !== undefined && entry.discovery) fail('discovery" and jwksUri exclude each other')
    const [source, uri] = entry.jwksUri === undefined ? ['issuer', entry.issuer] : ['jwksUri', entry.jwksUri]
    const reason = insecureReason(uri, entry.allowInsecureJwks)
    if (reason) fail(`${source}" ${reason}`)
    return withDefaults(entry, `issuers.${index}`)
  })
  if (entries.length + Number(hasSecret) > 1) assertSeparate(entries)
  return Object.freeze(settings)
}

/** Two users of two issuers must not have the same id, which is only unique within its issuer. */
function assertSeparate (entries: readonly IssuerOptions[]): void {
  for (const [index, { idPrefix }] of entries.entries()) {
    const option = `option "issuers.${index}.idPrefix"`
    if (idPrefix === undefined) {
      throw new InvalidOptionError(`${option} is missing: with more than one issuer, or a secret too, ` +
        'say whose users these are:\n' +
        "  idPrefix: ''   if they are the users of the others (one Better Auth moving from its secret to its keys, " +
        'or jwt() and its OAuth provider)\n' +
        "  idPrefix: 'b:' if they are other users: \"alice\" of this issuer then is \"b:alice\" in request.user.id " +
        'and in paths')
    }
    const others = entries.map((entry) => entry.idPrefix).filter((prefix) => prefix !== idPrefix)
    const start = others.find((prefix) => prefix && idPrefix.startsWith(prefix))
    if (start) {
      throw new InvalidOptionError(`${option} begins with another entry's, ${JSON.stringify(start)}, so that two ` +
        'users could have one id. Choose prefixes of which none begins another')
    }
  }
}

function withDefaults (entry: IssuerOptions, name: string): IssuerSettings {
  return Object.freeze({
    issuer: entry.issuer,
    audience: entry.audience === false ? undefined : Object.freeze([entry.audience].flat()),
    jwksUri: entry.jwksUri,
    algorithms: Object.freeze([...entry.algorithms ?? issuerAlgorithms]),
    idPrefix: entry.idPrefix ?? '',
    userIdClaim: entry.userIdClaim ?? 'sub',
    scopeClaim: entry.scopeClaim,
    types: Object.freeze([entry.typ ?? 'jwt'].flat().map(mediaType)),
    requiredClaims: Object.freeze(Object.fromEntries(Object.entries(entry.requiredClaims ?? {})
      .map(([claim, value]) => [claim, value === true || Object.freeze([value].flat())]))),
    isMachine: compileMachine(entry.machine ?? {}),
    otherTokens: compileOtherTokens(entry.otherTokens ?? [], `${name}.otherTokens`),
    lazy: entry.lazy ?? false,
    timeout: Math.round((entry.timeout ?? 5) * 1000),
    maxAge: entry.maxAge ?? 600,
    cooldown: entry.cooldown ?? 30,
    maxStale: entry.maxStale ?? 86_400,
    maxBytes: entry.maxBytes ?? 1_048_576,
    allowInsecureJwks: entry.allowInsecureJwks ?? false,
    fetch: entry.fetch ?? globalThis.fetch
  })
}

/** Normalizes a value of `typ` (RFC 7515 §4.1.9): lower case, without `application/`. */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\/(?=[^/]+$)/, '')

/** Says why keys must not be fetched from a URL: without encryption, somebody could replace them on the way. */
export function insecureReason (uri: string, allowInsecure = false): string | undefined {
  if (!URL.canParse(uri)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(uri)
  if (username || password) return 'has credentials in it'
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && (isLoopback || allowInsecure))) return undefined
  return 'is neither https nor http on loopback: use https (or, for development only, allowInsecureJwks: true)'
}
