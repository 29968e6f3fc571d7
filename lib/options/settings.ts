import { InvalidOptionError } from '../contract/errors.js'
import { compileClaims } from './claims-schema.js'
import { compileOtherTokens, type TokenForm } from './other-tokens.js'
import { readIssuers, type IssuerSettings } from './issuers.js'
import { readRights, type RightsSettings } from './rights.js'
import { optionsSchema } from './options-schema.js'
import { assertValid } from './validate.js'
import { readRevocations, type RevocationSettings } from './revocations.js'
import { assertFitSecret, secretsFromEnvironment } from './secret.js'
import type { IssuerOptions, OtherToken } from '../contract/issuer.js'
import type { CacheOptions, SecretAlgorithm, UserScopeOptions } from '../contract/options.js'

export type CacheSettings = Readonly<Required<CacheOptions>>

/** What the claims of a token are checked against. */
export interface ClaimRules {
  readonly issuer?: string | undefined
  /** One of which `aud` must have. */
  readonly audience?: readonly string[] | undefined
  readonly clockTolerance: number
  readonly maxTokenAge?: number | undefined
  /** Undefined: `uid` where the token has it, else `sub`. */
  readonly userIdClaim?: string | undefined
  /** Undefined: `scope` where the token has it, else `scp`. */
  readonly scopeClaim?: string | undefined
  /** Whether a token that somebody else holds for the user is refused. */
  readonly refusesActors?: boolean
  /** The issuer, or `'secret'`. */
  readonly verifiedBy: string
  /** Comes before the user id. */
  readonly idPrefix: string
  /** Those of other issuers, for a verifier without one: what its user ids must not begin with. */
  readonly foreignPrefixes: readonly string[]
  /** Values that a claim must have one of; true: any. */
  readonly requiredClaims: Readonly<Record<string, true | readonly unknown[]>>
  /** What the same key signs for another purpose. */
  readonly otherTokens: readonly TokenForm[]
  /** Whether a payload is marked as an application's. */
  readonly isMachine: (payload: Record<string, unknown>) => boolean
  /** Whether ID tokens and others that issuers make are to be told apart. */
  readonly isRemote: boolean
  /**
   * Values of the `typ` header parameter that are let through, as `mediaType` spells them; a token without one counts
   * as `jwt`.
   */
  readonly types: readonly string[]
  /** Why a payload does not satisfy option `claims`; null where it does. */
  readonly faultBySchema: (payload: unknown) => string | null
}

/** The rules for the tokens of an issuer: its own, and those that hold for every token. */
export const issuerRules = ({ claimRules, issuers }: Settings, entry: IssuerSettings): ClaimRules => ({
  ...claimRules,
  ...entry,
  verifiedBy: entry.issuer,
  foreignPrefixes: entry.idPrefix === '' ? prefixesOf(issuers) : [],
  isRemote: true
})

/** What the ids of a verifier without a prefix must not begin with. */
const prefixesOf = (issuers: readonly IssuerSettings[]) =>
  issuers.map(({ idPrefix }) => idPrefix).filter((prefix) => prefix !== '')

export const defaultSchemeName = 'bearerAuth'

/** How the OpenAPI documents of the app are found, and what they say. */
export interface OpenApiSettings {
  readonly schemeName: string
  readonly description: string
  /** Undefined: `swagger`, in apps that have it. */
  readonly decorators: readonly string[] | undefined
  /** Whether tokens with an actor are refused by methods that change something. */
  readonly readOnlyActors: boolean
}

/** The options after validation, with every default filled in. Frozen. */
export interface Settings extends RightsSettings {
  /** Empty where only issuers are accepted. */
  readonly secrets: readonly string[]
  readonly issuers: readonly IssuerSettings[]
  readonly algorithms: readonly SecretAlgorithm[]
  readonly claimRules: ClaimRules
  /** All that the configured issuers, and anyone who has the secret, hand out for another purpose. */
  readonly otherTokens: readonly TokenForm[]
  readonly userIdParam: string
  readonly requireStatedAccess: boolean
  readonly decoratorName: string
  readonly revocations: RevocationSettings | null
  readonly cache: false | CacheSettings
  readonly openapi: false | OpenApiSettings
}

/**
 * Options and environment → settings. Reads the environment only where the options state no secret; changes nothing
 * that it is given.
 * @param ofSecret tokens of another purpose that are signed with a secret
 * @throws InvalidOptionError that names the option or variable at fault
 */
export function readOptions (
  options: UserScopeOptions, env: NodeJS.ProcessEnv, ofSecret: readonly OtherToken[] = []
): Settings {
  assertValid(optionsSchema, options)
  const { secret, openapi, cache } = options
  // A secret that happens to stand in the environment must not verify where the host speaks of issuers only.
  const fallback = () => options.issuers === undefined ? secretsFromEnvironment(env) : []
  const secrets = secret === undefined ? fallback() : namedSecrets([secret].flat())
  const minBytes = Math.max(...(options.algorithms ?? ['HS256']).map((algorithm) => Number(algorithm.slice(2)) / 8))
  for (const { secret, name } of secrets) assertFitSecret(secret, name, minBytes)
  assertUsed(options, secrets.length > 0)
  const issuers = readIssuers(options.issuers as IssuerOptions[] | undefined, secrets.length > 0)
  const signed = secrets.length > 0 ? ofSecret : []
  assertIdClaim(options, signed)
  const otherTokens = compileOtherTokens(signed, 'secret')

  return Object.freeze({
    secrets: Object.freeze(secrets.map(({ secret }) => secret)),
    algorithms: Object.freeze([...options.algorithms ?? ['HS256' as const]]),
    claimRules: Object.freeze({
      issuer: options.issuer,
      audience: options.audience === undefined ? undefined : Object.freeze([options.audience]),
      clockTolerance: options.clockTolerance ?? 5,
      maxTokenAge: options.maxTokenAge,
      userIdClaim: options.userIdClaim,
      scopeClaim: options.scopeClaim,
      refusesActors: options.impersonation === 'refuse',
      verifiedBy: 'secret',
      idPrefix: '',
      foreignPrefixes: Object.freeze(prefixesOf(issuers)),
      requiredClaims: {},
      otherTokens,
      isMachine: () => false,
      isRemote: false,
      types: Object.freeze(['jwt']),
      faultBySchema: compileClaims(options.claims)
    }),
    ...readRights(options),
    issuers,
    otherTokens: Object.freeze([...otherTokens, ...issuers.flatMap((entry) => entry.otherTokens)]),
    revocations: readRevocations(options.revocations),
    cache: cache !== false && Object.freeze({ max: cache?.max ?? 10_000, ttl: cache?.ttl ?? 300 }),
    userIdParam: options.userIdParam ?? 'user_id',
    requireStatedAccess: options.requireStatedAccess ?? false,
    decoratorName: options.decoratorName ?? 'user',
    openapi: openapi !== false && Object.freeze({
      schemeName: openapi?.schemeName ?? defaultSchemeName,
      description: openapi?.description ?? 'The JWT of a signed-in user.',
      decorators: openapi?.decorator === undefined ? undefined : Object.freeze([openapi.decorator].flat()),
      readOnlyActors: options.impersonation === 'read-only'
    })
  })
}

const namedSecrets = (secrets: readonly string[]) => secrets.map((secret, index) =>
  ({ secret, name: secrets.length > 1 ? `option "secret", entry ${index + 1},` : 'option "secret"' }))

/** Options that would be without effect beside `issuers`, where the host means them to have one. */
function assertUsed ({ issuers = [], issuer, ...options }: UserScopeOptions, hasSecret: boolean): void {
  const { audience, algorithms, userIdClaim, scopeClaim } = options
  const forSecrets = { issuer, audience, algorithms, userIdClaim, scopeClaim }
  const [unused] = Object.entries(forSecrets).find(([, value]) => value !== undefined) ?? []
  if (!hasSecret && unused) {
    throw new InvalidOptionError(`option "${unused}" is for tokens signed with a secret, and none is given. ` +
      'State it in the entries of option "issuers", or give the option "secret"')
  }
  if (issuers.some((entry) => entry.issuer === issuer)) {
    throw new InvalidOptionError('option "issuer" is that of an entry in option "issuers", whose keys verify all its ' +
      'tokens. Leave one of them out')
  }
}

/**
 * No claim that another token of the same secret carries may name the user, unless something tells the two apart, such
 * as the header.
 */
function assertIdClaim (options: UserScopeOptions, others: readonly OtherToken[]): void {
  const { userIdClaim = 'sub', issuer, audience } = options
  const carried = others.some(({ header, payload }) =>
    header === undefined && payload?.properties[userIdClaim]?.type === 'string')
  if (!carried || issuer !== undefined || audience !== undefined) return
  throw new InvalidOptionError(`option "userIdClaim" is "${userIdClaim}", which other tokens of the same secret ` +
    'carry too, such as a link that verifies an e-mail address. Fix: state option "issuer" or "audience", ' +
    'or take the id from "sub"')
}
