import type { TObject } from '@sinclair/typebox'

/** Algorithms of remote issuers (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export type IssuerAlgorithm =
  'EdDSA' | 'Ed25519' | 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512'

/** The part of `fetch` that the plugin uses. A proxy or a test can replace it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A token that an issuer signs for another purpose than access. It is refused, and the log says what it is. */
export interface OtherToken {
  /** For the log: what kind of token it is, and what to send instead. */
  says: string
  /** For tokens that are no JWS: a regular expression that matches their text. */
  text?: string
  /** For a JWS: its header must satisfy `header`, and its payload `payload`. State at least one of them. */
  header?: TObject
  payload?: TObject
}

/** A remote issuer, whose tokens are verified by its published keys (RFC 7517). The presets make such entries. */
export interface IssuerOptions {
  /** `iss` must be exactly this string. It selects the entry that verifies a token. */
  issuer: string
  /** `aud` must be one of these or contain one. `false`: not checked; `requiredClaims` must then state a value. */
  audience: string | readonly string[] | false
  /** The URL of the JWK Set: https, or http on loopback. Either this or `discovery`. */
  jwksUri?: string
  /** `true`: take the URL from the issuer's metadata (OpenID Connect Discovery, RFC 8414) instead. */
  discovery?: boolean
  /** Accepted algorithms. Default: every asymmetric one. */
  algorithms?: readonly IssuerAlgorithm[]
  /**
   * Text in front of this issuer's user ids, because an id is only unique within its issuer (OpenID Connect Core
   * §5.7). Required with more than one verifier: `''` means that its users are those of the others too; a text that
   * ends in `:` separates them. `request.user.id` starts with it. Default, for a single issuer: `''`.
   */
  idPrefix?: string
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /** The claim with the scopes, as a string or a list. Default: `scope` if the token has it, else `scp`. */
  scopeClaim?: string
  /**
   * Accepted values of the `typ` header parameter (RFC 8725 §3.11), in any letter case and with or without
   * `application/`. A token without `typ` counts as `'JWT'`. Default `'JWT'`.
   */
  typ?: string | readonly string[]
  /** Claims that a token must have: `true` allows any value but false and null; otherwise it must be a stated value. */
  requiredClaims?: Readonly<Record<string, true | string | readonly string[]>>
  /**
   * How to recognize the token of an application, which owns nothing: claim names, each with one or more values. A `*`
   * at the start or the end of a value stands for any text. In a claim that is a list, one entry is enough; `'true'`
   * fits `true` as well. A token whose `sub` equals its `client_id`, `azp` or `cid` always counts as an application's
   * (RFC 9068 §2.2).
   */
  machine?: Readonly<Record<string, string | readonly string[]>>
  /** Tokens that the issuer signs for other purposes, possibly with the same keys. */
  otherTokens?: readonly OtherToken[]
  /** `true`: start even if the keys cannot be fetched yet. Requests are 503 until then. Default false. */
  lazy?: boolean
  /** Seconds for a fetch, body included. 0.1 to 60. Default 5. At boot, Fastify's `pluginTimeout` limits it too. */
  timeout?: number
  /** Seconds after which keys are fetched again, and a removed key is no longer used. 1 to 86400. Default 600. */
  maxAge?: number
  /**
   * Seconds between two fetches, at most four fifths of `maxAge` while the issuer answers. While it does not, and old
   * keys are still used, each further failure doubles the pause, up to ten cooldowns and at most `maxAge`. 1 to 3600.
   * Default 30.
   */
  cooldown?: number
  /** Seconds for which keys are used while the issuer is down, at least `maxAge`. 0 to 604800. Default 86400. */
  maxStale?: number
  /** The largest key set or metadata document, in bytes. 1024 to 16777216. Default 1048576. */
  maxBytes?: number
  /** `true`: allow plain http to any host. For development only. */
  allowInsecureJwks?: boolean
  /** Replaces the global `fetch`: for a proxy, a test, or an issuer in the same process. */
  fetch?: Fetch
}

/** An issuer in the result of `app.userScope.issuers()`. */
export interface IssuerStatus {
  readonly issuer: string
  /** The `kid` of each key; null for a key without one. */
  readonly keys: ReadonlyArray<string | null>
  /** Whole seconds since these keys were fetched; null without keys. */
  readonly age: number | null
  /** When a fetch was last tried; null before the first. */
  readonly lastFetch: Date | null
  /** Why the last fetch failed; null after a success, or before the first. */
  readonly lastError: string | null
  /** The earliest time of the next fetch; null before the first. */
  readonly nextTry: Date | null
}
