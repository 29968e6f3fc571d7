/** Algorithms of remote issuers (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export type IssuerAlgorithm = 'EdDSA' | 'Ed25519' | 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512'

/** The part of `fetch` that is used; a proxy, or a test, can stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A remote issuer, whose tokens are verified by its published keys (RFC 7517). The presets make such entries. */
export interface IssuerOptions {
  /** `iss` must be this string exactly; tokens are sent to this entry by it. */
  issuer: string
  /**
   * `aud` must be, or have, one of these. `false` leaves the check out: state then in `requiredClaims` what stands in
   * for it.
   */
  audience: string | string[] | false
  /** The URL of the JWK Set: https, or http on loopback. */
  jwksUri?: string
  /** `true`: take the URL from the issuer's metadata (OpenID Connect Discovery, RFC 8414) instead. */
  discovery?: boolean
  /** Accepted algorithms. Default: every asymmetric one. */
  algorithms?: IssuerAlgorithm[]
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /**
   * Accepted values of the `typ` header parameter (RFC 8725 §3.11). Default `'JWT'`, which a token without `typ` counts
   * as.
   */
  typ?: string | string[]
  /** Claims that a token must have: `true` for any value, else one of the strings. */
  requiredClaims?: Record<string, true | string | string[]>
  /** `true`: start although the keys cannot be fetched yet; requests are then answered 503. Default false. */
  lazy?: boolean
  /** Seconds for a fetch, body included. 0.1 to 60. Default 5. */
  timeout?: number
  /** Seconds after which keys are fetched anew: the longest that a removed key serves. 1 to 86400. Default 600. */
  maxAge?: number
  /**
   * Seconds between two fetches, whether the first succeeded or failed; keys are fetched anew at a shorter `maxAge` all
   * the same. 1 to 3600. Default 30.
   */
  cooldown?: number
  /**
   * Seconds after their fetch until which keys serve on while the issuer is down; 0, or less than `maxAge`: not beyond
   * that. 0 to 604800. Default 86400.
   */
  maxStale?: number
  /** Bytes of a key set or metadata document. Default 1048576. */
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
