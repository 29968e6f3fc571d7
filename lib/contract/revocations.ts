/** What `app.userScope.revoke()` is given: a user's tokens, those of a session, or a single one. */
export type Revocation =
  | {
    /** The id as `request.user.id` has it, `idPrefix` included: all tokens of this user that were issued until then. */
    user: string
    /** A date, or seconds since 1970. At most `clockTolerance` ahead of now. Default now. */
    issuedBefore?: Date | number
    /** Only what this issuer vouched for, or `'secret'`. Default: all issuers. */
    issuer?: string
    session?: never
    token?: never
  }
  | {
    /** The claim `sid`: all tokens of this session. */
    session: string
    /** As above. `sid` is unique per issuer only. */
    issuer?: string
    user?: never
    token?: never
    issuedBefore?: never
  }
  | {
    /** The claim `jti`: this token. */
    token: string
    /** As above. `jti` is unique per issuer only. */
    issuer?: string
    user?: never
    session?: never
    issuedBefore?: never
  }

/** An entry as a store hands it out again. */
export interface StoredRevocation {
  /** The text that `publish` was given. */
  readonly entry: string
  /** When it was stored, in seconds since 1970 by the clock of the store. */
  readonly storedAt: number
}

/**
 * A log that all instances share: `redisRevocations()` of `fastify-user-scope/redis`, or one of the host's own.
 * Whatever fails, these methods reject, and they are called again.
 */
export interface RevocationStore {
  /**
   * Stores an entry. Resolves once it is stored so that no crash of the store loses it.
   * @param keepFor seconds for which it must be kept at least
   */
  publish: (entry: string, keepFor: number) => Promise<unknown>
  /**
   * Yields all entries, in lists of any length, then an empty list, then new entries as soon as they come. While there
   * are none, it yields an empty list every `interval` seconds, to show that the store still answers. An entry may come
   * twice. Throws, or ends, when the store fails. Once `signal` aborts, it must end and free what it holds.
   */
  follow: (options: FollowOptions) => AsyncIterable<readonly StoredRevocation[]>
  /** Seconds without an answer from the store after which the list counts as stale. 1 to 86400. Default 60. */
  readonly maxStale?: number
  /** What to do while the list is stale: `'refuse'` requests with 503, or `'serve'` them. Default `'refuse'`. */
  readonly whenDown?: 'refuse' | 'serve'
}

export interface FollowOptions {
  readonly signal: AbortSignal
  /** Seconds between two empty lists. */
  readonly interval: number
  /** Seconds for which entries are kept: older ones may be left out, and may be deleted. */
  readonly keepFor: number
}

export interface RevocationsOptions {
  /** Where all instances read and write. Default: this process alone. */
  store?: RevocationStore
  /**
   * Seconds for which an entry is kept. No token may be valid for longer: `iat` is required, and `exp - iat` must not
   * be more. 1 to 315576000. Default 2592000 (30 days).
   */
  keepFor?: number
}
