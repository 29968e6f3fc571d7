import type { IssuerOptions } from './issuer.js'
import type { MayActFor } from './access.js'
import type { RevocationsOptions, RevocationStore } from './revocations.js'

/** HMAC algorithms for tokens signed with a shared secret (RFC 7518 §3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/** Where to find the OpenAPI document, and how to name the bearer scheme in it. */
export interface OpenApiOptions {
  /** The name of the scheme in the document. A scheme of your own with this name is kept. Default `'bearerAuth'`. */
  schemeName?: string
  /** The description of the scheme, shown in the Authorize dialog. Default `'The JWT of a signed-in user.'`. */
  description?: string
  /**
   * The name or names of the decorator that returns the document: the option `decorator` of `@fastify/swagger`. A name
   * that is found neither in the contexts of the guarded routes nor around them stops the boot. Default `'swagger'`, if
   * there is one.
   */
  decorator?: string | readonly string[]
}

/** The cache of verified tokens: at most 32 MiB of text and claims, and no token over 4 KB. */
export interface CacheOptions {
  /** The number of tokens. 1 to 10000000. Default 10000. */
  max?: number
  /**
   * Seconds for which a token is kept, at most until it expires or its key is no longer valid. 1 to 86400. Default 300.
   */
  ttl?: number
}

/** Options of the plugin. All are optional; unknown keys, and keys that are present but undefined, stop the boot. */
export interface UserScopeOptions {
  /**
   * A shared secret, or a list of them: the first is the current one, the others still verify (rotation without
   * downtime). Each needs at least 32 bytes, 48 with HS384 and 64 with HS512 (RFC 7518 §3.2). Keys, URLs, tokens and
   * published samples are refused. Default: `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first), else
   * `BETTER_AUTH_SECRET`.
   */
  secret?: string | readonly string[]
  /**
   * Remote issuers, whose tokens are verified by their published keys. With this option the environment is not read: to
   * accept tokens signed with a secret too, state `secret`.
   */
  issuers?: readonly IssuerOptions[]
  /** For tokens signed with a secret: if set, `iss` is required and must be exactly this string (RFC 7519 §4.1.1). */
  issuer?: string
  /**
   * For tokens signed with a secret: if set, `aud` is required and must be this string, or an array that contains it
   * (RFC 7519 §4.1.3).
   */
  audience?: string
  /** For tokens signed with a secret: the accepted algorithms. Default `['HS256']`. */
  algorithms?: readonly SecretAlgorithm[]
  /**
   * For tokens signed with a secret: the claim with the user id. If set, no other claim is used. Default: `uid` if the
   * token has it, else `sub`.
   */
  userIdClaim?: string
  /** The path parameter with the owner's id: letters, digits and underscores. Default `'user_id'`. */
  userIdParam?: string
  /**
   * `true`: a route whose URL has a parameter that is not compared must state its level in `config.access`, or the boot
   * stops. Default false.
   */
  requireStatedAccess?: boolean
  /**
   * A JSON Schema of type `object`, such as one of TypeBox. The payload must satisfy it, or the answer is 401
   * `INVALID_CLAIMS`.
   */
  claims?: object
  /** Seconds of tolerance for `exp`, `nbf`, `iat` and `maxTokenAge`, because clocks differ. 0 to 3600. Default 5. */
  clockTolerance?: number
  /**
   * Seconds since `iat` after which a token is refused, whatever its `exp`. Requires `iat`. 1 to 315576000. Default:
   * not checked.
   */
  maxTokenAge?: number
  /**
   * More path parameters, each with a claim: `'org_id'`, or `['o', 'id']` for a nested one. On routes of level
   * `'owner'` and `'user'`, the parameter must equal the claim, or be in it if the claim is a list. Otherwise 403
   * `FORBIDDEN_RESOURCE_ACCESS`.
   */
  bind?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Whether a user may act for an owner, on routes with `delegates: true`. Called for each request of another
   * user; it has 5 seconds to answer.
   */
  mayActFor?: MayActFor
  /** For tokens signed with a secret: the claim with the scopes. Default: `scope` if the token has it, else `scp`. */
  scopeClaim?: string
  /**
   * What to do with a token of an actor, who acts as the user (claim `act`): `'read-only'` refuses all methods but GET,
   * HEAD and OPTIONS with 403; `'refuse'` is 401. Default `'allow'`.
   */
  impersonation?: 'allow' | 'read-only' | 'refuse'
  /** Whether the log names the user when it refuses a verified token or admits a delegate. Default true. */
  logUser?: boolean
  /**
   * Lets `app.userScope.revoke()` end access before tokens expire. `true`: in memory, for all registrations of this app
   * with the same secrets and issuers. A store: for all registrations and instances that share it. Default: off.
   */
  revocations?: true | RevocationStore | RevocationsOptions
  /** The request property for the verified user. `UserScopeTypes` gives it its type. Default `'user'`. */
  decoratorName?: string
  /** Verified tokens are kept in memory and not verified again. `false`: verify the token of every request. */
  cache?: false | CacheOptions
  /** `false`: do not change the OpenAPI document. Default: on, if the app registers `@fastify/swagger`. */
  openapi?: false | OpenApiOptions
}
