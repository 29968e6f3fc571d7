import type { TObject } from '@sinclair/typebox'

/** Algorithms of remote issuers (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export type IssuerAlgorithm =
  'EdDSA' | 'Ed25519' | 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512'

/** The part of `fetch` that is used; a proxy, or a test, can stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A token that an issuer hands out for another purpose than access: it is refused, and the log says what it is. */
export interface OtherToken {
  /** What it is and what to send instead; for the log. */
  says: string
  /** It is no JWS, and this regular expression fits its text. */
  text?: string
  /** It is a JWS whose header satisfies this schema, and its payload the other; at least one of them is stated. */
  header?: TObject
  payload?: TObject
}

/** A remote issuer, whose tokens are verified by its published keys (RFC 7517). The presets make such entries. */
export interface IssuerOptions {
  /** `iss` must be this string exactly; tokens are sent to this entry by it. */
  issuer: string
  /**
   * `aud` must be, or have, one of these. `false` leaves the check out; `requiredClaims` must then state what replaces
   * it.
   */
  audience: string | readonly string[] | false
  /** The URL of the JWK Set: https, or http on loopback. Either this or `discovery`. */
  jwksUri?: string
  /** `true`: take the URL from the issuer's metadata (OpenID Connect Discovery, RFC 8414) instead. */
  discovery?: boolean
  /** Accepted algorithms. Default: every asymmetric one. */
  algorithms?: readonly IssuerAlgorithm[]
  /**
   * Text before the user ids of this issuer, as an id is unique within its issuer only (OpenID Connect Core §5.7).
   * Required with more than one verifier: `''` says that its users are those of the others, a text that ends in `:`
   * keeps them apart. `request.user.id` has it in front. Default, for a sole issuer: `''`.
   */
  idPrefix?: string
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /** The claim with the scopes, as a string or a list. Default: `scope` where the token has it, else `scp`. */
  scopeClaim?: string
  /**
   * Accepted values of the `typ` header parameter (RFC 8725 §3.11), in any letter case and with or without
   * `application/`. Default `'JWT'`, which a token without `typ` counts as.
   */
  typ?: string | readonly string[]
  /** Claims that a token must have: `true` for any value, else one of the strings. */
  requiredClaims?: Readonly<Record<string, true | string | readonly string[]>>
  /**
   * What marks the token of an application, which owns nothing: claim name to one of the strings. A `*` at the start or
   * the end of one stands for any text. A token whose `sub` equals its `client_id`, `azp` or `cid` is one in any
   * case (RFC 9068 §2.2).
   */
  machine?: Readonly<Record<string, string | readonly string[]>>
  /** Tokens of another purpose that the issuer hands out, some of them signed with the same keys. */
  otherTokens?: readonly OtherToken[]
  /** `true`: start although the keys cannot be fetched yet; requests are then answered 503. Default false. */
  lazy?: boolean
  /** Seconds for a fetch, body included. 0.1 to 60. Default 5. At boot Fastify gives up after its `pluginTimeout`. */
  timeout?: number
  /** Seconds after which keys are fetched anew: the longest that a removed key serves. 1 to 86400. Default 600. */
  maxAge?: number
  /**
   * Seconds between two fetches. While keys still serve, each further failure doubles it, up to ten times as long, but
   * not beyond `maxAge`. A shorter `maxAge` still fetches the keys anew. 1 to 3600. Default 30.
   */
  cooldown?: number
  /**
   * Seconds that fetched keys may serve while the issuer is down; with 0, or less than `maxAge`, they serve no longer
   * than `maxAge`. 0 to 604800. Default 86400.
   */
  maxStale?: number
  /** Bytes of a key set or metadata document. 1024 to 16777216. Default 1048576. */
  maxBytes?: number
  /** `true`: let keys come by plain http, from anywhere. For development only. */
  allowInsecureJwks?: boolean
  /** Stands in for the global `fetch`: a proxy, a test, or an issuer in the same process. */
  fetch?: Fetch
}

/** What `app.userScope.issuers()` tells of one issuer. */
export interface IssuerStatus {
  readonly issuer: string
  /** The `kid` of each key held; null for a key without one. */
  readonly keys: ReadonlyArray<string | null>
  /** Whole seconds since the keys held were fetched; null while none are. */
  readonly age: number | null
  /** When a fetch was last tried; null before the first. */
  readonly lastFetch: Date | null
  /** Why the last fetch failed; null after a success, or before the first. */
  readonly lastError: string | null
  /** No fetch is tried before. */
  readonly nextTry: Date | null
}
