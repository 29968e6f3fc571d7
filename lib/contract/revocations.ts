/** The argument of `app.userScope.revoke()`: all tokens of a user, those of a session, or a single token. */
export type Revocation = (
  | {
    /** The id as in `request.user.id`, `idPrefix` included. Revokes tokens issued at or before `issuedBefore`. */
    user: string
    /** A date, or seconds since 1970; whole seconds count. At most `clockTolerance` in the future. Default: now. */
    issuedBefore?: Date | number
    session?: never
    token?: never
  }
  | {
    /** The claim `sid`: revokes all tokens of this session. */
    session: string
    user?: never
    token?: never
    issuedBefore?: never
  }
  | {
    /** The claim `jti`: revokes this token. */
    token: string
    user?: never
    session?: never
    issuedBefore?: never
  }
) & {
  /** Only tokens of this issuer, or of `'secret'`. Default: all issuers. A `sid` or `jti` is only unique per issuer. */
  issuer?: string
}

/** An entry as a store returns it. */
export interface StoredRevocation {
  /** The text that `publish` was given. */
  readonly entry: string
  /** When it was stored, in seconds since 1970 by the clock of the store. */
  readonly storedAt: number
}

/**
 * A log that all instances share: `redisRevocations()` of `fastify-user-scope/redis`, or your own. If the store fails,
 * both methods reject. They are then called again.
 */
export interface RevocationStore {
  /**
   * Stores an entry. Resolves when the store has confirmed it.
   * @param keepFor seconds; the entry must be kept at least this long
   */
  publish: (entry: string, keepFor: number) => Promise<unknown>
  /**
   * Yields all entries, in lists of any length, then an empty list, then new entries as they arrive, including those of
   * its own process. While there are none, it yields an empty list every `interval` seconds, to show that the store
   * still answers. An entry may be yielded twice. Throws or ends if the store fails. When `signal` aborts, it must end
   * and release its resources.
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
  /** Seconds: the option `keepFor` plus clock tolerances and an hour. Older entries may be left out and deleted. */
  readonly keepFor: number
}

export interface RevocationsOptions {
  /**
   * The log that all instances share. Default: none, so that revocations hold only in this app, in all registrations
   * with the same secrets and issuers.
   */
  store?: RevocationStore
  /**
   * Seconds for which an entry is kept. No token may be valid for longer: `iat` is required, and `exp - iat` may not
   * exceed it. 1 to 315576000. Default 2592000 (30 days).
   */
  keepFor?: number
}
