import { InvalidOptionError } from '../contract/errors.js'
import { compileClaims } from './claims-schema.js'
import { compileOtherTokens, type TokenForm } from './other-tokens.js'
import { readIssuers, type IssuerSettings } from './issuers.js'
import { readRights, type RightsSettings } from './rights.js'
import { optionsSchema } from './options-schema.js'
import { assertValid } from './validate.js'
import { readRevocations, type RevocationSettings } from './revocations.js'
import { secretsFromEnvironment } from './environment.js'
import { assertFitSecret } from './secret.js'
import type { OtherToken } from '../contract/issuer.js'
import type { CacheOptions, SecretAlgorithm, UserScopeOptions } from '../contract/options.js'

export type CacheSettings = Readonly<Required<CacheOptions>>

export interface ClaimRules extends Pick<IssuerSettings,
  'audience' | 'idPrefix' | 'isMachine' | 'otherTokens' | 'requiredClaims' | 'scopeClaim' | 'types'> {
  readonly issuer?: string | undefined
  readonly clockTolerance: number
  readonly maxTokenAge?: number | undefined
  /** Undefined: `uid` if the token has it, else `sub`. */
  readonly userIdClaim?: string | undefined
  readonly refusesActors?: boolean
  /** The issuer, or `'secret'`. */
  readonly verifiedBy: string
  /** For a verifier without a prefix: the prefixes of other issuers. Its user ids must not begin with one. */
  readonly foreignPrefixes: readonly string[]
  /** Whether the token is from a remote issuer, which may also sign ID tokens. */
  readonly isRemote: boolean
  /** Says why a payload does not satisfy option `claims`; null if it does. */
  readonly faultBySchema: (payload: unknown) => string | null
}

export const issuerRules = ({ claimRules }: Settings, entry: IssuerSettings): ClaimRules => ({
  ...claimRules,
  ...entry,
  verifiedBy: entry.issuer,
  foreignPrefixes: entry.idPrefix === '' ? claimRules.foreignPrefixes : [],
  isRemote: true
})

export const defaultSchemeName = 'bearerAuth'

export interface OpenApiSettings {
  readonly schemeName: string
  readonly description: string
  /** Undefined: `swagger`, if the app has it. */
  readonly decorators: readonly string[] | undefined
  readonly readOnlyActors: boolean
}

/** The validated options with all defaults. Frozen. */
export interface Settings extends RightsSettings {
  /** Empty if only issuers are accepted. */
  readonly secrets: readonly string[]
  readonly issuers: readonly IssuerSettings[]
  readonly algorithms: readonly SecretAlgorithm[]
  readonly claimRules: ClaimRules
  /** All tokens for other purposes, of the configured issuers and of the secret. */
  readonly otherTokens: readonly TokenForm[]
  readonly userIdParam: string
  readonly requireStatedAccess: boolean
  readonly decoratorName: string
  readonly revocations: RevocationSettings | null
  readonly cache: false | CacheSettings
  readonly openapi: false | OpenApiSettings
}

/**
 * Reads options and environment. The environment is only read if the options state neither a secret nor issuers. The
 * arguments are not changed.
 * @param ofSecret tokens for other purposes that are signed with a secret
 * @throws InvalidOptionError that names the option or variable at fault
 */
export function readOptions (
  options: UserScopeOptions, env: NodeJS.ProcessEnv, ofSecret: readonly OtherToken[] = []
): Settings {
  assertValid(optionsSchema, options)
  const { openapi, cache } = options
  const algorithms: readonly SecretAlgorithm[] = options.algorithms ?? ['HS256']
  const minBytes = Math.max(...algorithms.map((algorithm) => Number(algorithm.slice(2)) / 8))
  const secrets = readSecrets(options, env, minBytes)
  for (const { secret, name } of secrets) assertFitSecret(secret, name, minBytes)
  assertUsed(options, secrets.length > 0)
  const issuers = readIssuers(options.issuers, secrets.length > 0)
  const signed = secrets.length > 0 ? ofSecret : []
  assertIdClaim(options, signed)
  const otherTokens = compileOtherTokens(signed, 'secret')
  // A header alone does not tell what a token is for. With issuers, the log must name the `iss` of such a token.
  const ofPurpose = otherTokens.filter((_form, index) => signed[index]?.text ?? signed[index]?.payload)

  return Object.freeze({
    secrets: Object.freeze(secrets.map(({ secret }) => secret)),
    algorithms: Object.freeze([...algorithms]),
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
      foreignPrefixes: Object.freeze(issuers.map(({ idPrefix }) => idPrefix).filter((prefix) => prefix !== '')),
      requiredClaims: {},
      otherTokens,
      isMachine: () => false,
      isRemote: false,
      types: Object.freeze(['jwt']),
      faultBySchema: compileClaims(options.claims)
    }),
    ...readRights(options),
    issuers,
    otherTokens: Object.freeze([...ofPurpose, ...issuers.flatMap((entry) => entry.otherTokens)]),
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

function readSecrets ({ secret, issuers }: UserScopeOptions, env: NodeJS.ProcessEnv, minBytes: number) {
  if (secret !== undefined) {
    return [secret].flat().map((secret, index, { length }) =>
      ({ secret, name: length > 1 ? `option "secret", entry ${index + 1},` : 'option "secret"' }))
  }
  // A secret that happens to be in the environment must not verify tokens if the host only states issuers.
  return issuers === undefined ? secretsFromEnvironment(env, minBytes) : []
}

/** Refuses options that would have no effect beside `issuers`, and one issuer with two kinds of keys. */
function assertUsed (options: UserScopeOptions, hasSecret: boolean): void {
  const { issuers = [], issuer, audience, algorithms, userIdClaim, scopeClaim } = options
  const forSecrets = { issuer, audience, algorithms, userIdClaim, scopeClaim }
  const [unused] = Object.entries(forSecrets).find(([, value]) => value !== undefined) ?? []
  if (!hasSecret && unused) {
    throw new InvalidOptionError(`option "${unused}" is for tokens signed with a secret, and no secret is given. ` +
      'State it in the entries of option "issuers", or give the option "secret"')
  }
  if (issuers.some((entry) => entry.issuer === issuer)) {
    throw new InvalidOptionError('option "issuer" is that of an entry in option "issuers", whose keys verify all its ' +
      'tokens. Leave one of them out')
  }
}

/** Refuses a user id claim that other tokens of the secret have, unless `issuer`, `audience` or the header differs. */
function assertIdClaim (options: UserScopeOptions, others: readonly OtherToken[]): void {
  const { userIdClaim = 'sub', issuer, audience } = options
  const carried = others.some(({ header, payload }) =>
    header === undefined && payload?.properties[userIdClaim]?.type === 'string')
  if (!carried || issuer !== undefined || audience !== undefined) return
  throw new InvalidOptionError(`option "userIdClaim" is "${userIdClaim}", which other tokens of the same secret ` +
    'carry too, such as a link that verifies an e-mail address. Fix: state option "issuer" or "audience", ' +
    'or take the id from "sub"')
}
