import { createError, type FastifyError, type FastifyErrorConstructor } from '@fastify/error'

const kDetails = Symbol.for('fastify-user-scope.details') // one for all copies of the package

/** The codes that a refused request can carry. */
export type RefusalCode = InstanceType<typeof classes[number]>['code']

/** Details of a refusal that its class does not have. */
export interface RefusalDetails {
  /** For the log alone; never quotes a token, a secret or a payload. */
  readonly reason: string
  /** Of a 503: seconds after which the client may try again. */
  readonly retryAfter?: number
  /** For the challenge: the names of the required scopes, separated by spaces. */
  readonly scope?: string
}

/**
 * A refusal as the host's error handler sees it. The reason is only for the log. It is stored under a symbol, which
 * neither JSON nor pino's error serializer writes, so a handler that sends the whole error does not reveal it.
 */
export type Refusal = FastifyError & { code: RefusalCode, statusCode: 401 | 403 | 503, [kDetails]: RefusalDetails }

/**
 * The class of an error. Declarations of an app may name it: they cannot name a type of `@fastify/error` if only this
 * package may import that, as with pnpm.
 */
export interface ErrorClass<C extends string, S extends number>
  extends FastifyErrorConstructor<{ code: C, statusCode: S }> {}

// Without a stack: it would always show the guard, and capturing it would make a flood of bad tokens expensive.
const refusal = <C extends string, S extends number>(
  code: C, status: S, message: string
): ErrorClass<C, S> => createError(code, message, status, Error, false)

/** RFC 6750 §3.1: a request without any authentication gets the challenge alone, without an error code. */
export const MissingTokenError = refusal('MISSING_TOKEN', 401, 'Missing authentication token')
/** RFC 6750 §3.1 suggests 400 `invalid_request`. The answer here is 401, with that error code in the challenge. */
export const InvalidHeaderFormatError = refusal('INVALID_HEADER_FORMAT', 401, 'Invalid authorization header format')
/** RFC 7515 §5.2, steps 1 to 7, and RFC 7519 §7.2, step 10: not a JWS in compact serialization, or not JSON. */
export const MalformedTokenError = refusal('MALFORMED_TOKEN', 401, 'Malformed token')
/** RFC 7515 §5.2, step 8, and RFC 8725 §3.1: the algorithm, the key or the signature does not fit. */
export const InvalidTokenSignatureError = refusal('INVALID_TOKEN_SIGNATURE', 401, 'Invalid token signature')
/** RFC 7519 §4.1.4: `exp` (plus `clockTolerance`) has come, or the token is older than `maxTokenAge`. */
export const TokenExpiredError = refusal('TOKEN_EXPIRED', 401, 'Token expired')
/** RFC 6750 §3.1: "revoked" is one of the reasons of `invalid_token`. */
export const TokenRevokedError = refusal('TOKEN_REVOKED', 401, 'Token revoked')
/** RFC 7519 §4.1, and RFC 8725 §3.8 to §3.12: a claim or a header parameter has an unexpected value. */
export const InvalidClaimsError = refusal('INVALID_CLAIMS', 401, 'Invalid token claims')
/** The token is good, but names no user. */
export const MissingUidClaimError = refusal('MISSING_UID_CLAIM', 401,
  'Invalid token: missing or malformed user ID claim')
/** RFC 9110 §15.5.4: the credentials are valid but not sufficient. */
export const ForbiddenUserAccessError = refusal('FORBIDDEN_USER_ACCESS', 403,
  "Access denied: cannot access another user's resources")
/** A bound parameter does not fit its claim, the path has a dot segment, or an actor may only read. */
export const ForbiddenResourceAccessError = refusal('FORBIDDEN_RESOURCE_ACCESS', 403,
  'Access denied: cannot access this resource')
/** RFC 6750 §3.1: the token is valid but lacks a scope that the route requires. */
export const InsufficientScopeError = refusal('INSUFFICIENT_SCOPE', 403, 'Insufficient scope')
const unavailable = 'Token verification is temporarily unavailable'
/** RFC 9110 §15.6.4: the token cannot be verified right now. The client may try again later. */
export const KeysUnavailableError = refusal('KEYS_UNAVAILABLE', 503, unavailable)
/** 503: `mayActFor` failed, so it is unknown whether the user may act for the owner. */
export const AccessCheckUnavailableError = refusal('ACCESS_CHECK_UNAVAILABLE', 503, unavailable)
/** 503: the list of revocations is stale, or `revoke()` could not store an entry. */
export const RevocationsUnavailableError = refusal('REVOCATIONS_UNAVAILABLE', 503, unavailable)

const classes = [
  MissingTokenError, InvalidHeaderFormatError, MalformedTokenError, InvalidTokenSignatureError, TokenExpiredError,
  TokenRevokedError, InvalidClaimsError, MissingUidClaimError, ForbiddenUserAccessError, ForbiddenResourceAccessError,
  InsufficientScopeError, KeysUnavailableError, AccessCheckUnavailableError, RevocationsUnavailableError
]
const byCode = Object.fromEntries(classes.map((Class) => [new Class().code, Class])) as
  Record<RefusalCode, FastifyErrorConstructor>

export function refuse (code: RefusalCode, reason: string, more: Omit<RefusalDetails, 'reason'> = {}): Refusal {
  return Object.assign(new byCode[code](), { [kDetails]: { reason, ...more } }) as Refusal
}

export const isRefusal = (error: unknown): error is Refusal => error instanceof Error && kDetails in error

export const detailsOf = (refusal: Refusal): RefusalDetails => refusal[kDetails]

const fault = <C extends string>(code: C): ErrorClass<C, 500> =>
  createError(code, 'fastify-user-scope: %s', 500)

/**
 * Stops the boot: an option, or an environment variable that replaces one, is wrong. The message names it and the fix.
 * `revoke()` rejects with it too if its argument is not a revocation.
 */
export const InvalidOptionError = fault('FST_USER_SCOPE_INVALID_OPTION')
/** Stops the boot: the `config.access` of a route is impossible, or probably a mistake. */
export const InvalidRouteError = fault('FST_USER_SCOPE_INVALID_ROUTE')
/** Stops the boot: the plugin is already registered in this context, in one around it or in one inside it. */
export const AlreadyRegisteredError = fault('FST_USER_SCOPE_ALREADY_REGISTERED')
/** Stops the boot: the keys of an issuer cannot be fetched, and it is not `lazy`. */
export const KeysUnreachableError = fault('FST_USER_SCOPE_KEYS_UNREACHABLE')
/** Thrown by `getOwnerId`: the guard did not compare an owner's id for this request. */
export const NoOwnerError = fault('FST_USER_SCOPE_NO_OWNER')
/** Stops the boot: the store of revocations cannot be read or does not answer within 5 seconds. */
export const RevocationsUnreachableError = fault('FST_USER_SCOPE_REVOCATIONS_UNREACHABLE')
