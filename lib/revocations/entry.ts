/** What an entry revokes: the tokens of a user, of a session (`sid`), or one token (`jti`). */
export const kinds = ['user', 'session', 'token'] as const
export type Kind = typeof kinds[number]

export interface Entry {
  readonly kind: Kind
  readonly id: string
  /** The issuer of the tokens, or `'secret'`. Empty: any issuer. */
  readonly issuer: string
  /** Whole seconds since 1970. Of a user: tokens issued until then are revoked. Else: the time of the revocation. */
  readonly moment: number
}

/** An entry in a store, with the `keepFor` of the instance that wrote it. */
export interface WrittenEntry extends Entry {
  readonly keepFor: number
}

/**
 * Seconds for which an entry counts. After that no token that it revokes can be valid, even if the clock of the
 * revoking instance was slow and that of the issuer fast. Moments are whole seconds; dates of tokens may have
 * fractions.
 */
export const lifetime = (keepFor: number, clockTolerance: number): number => keepFor + 3 * clockTolerance + 1

/** Additional seconds for which a store keeps entries, because its clock may be wrong. */
export const margin = 3600

/**
 * Returns the latest moment that an entry may have. Neither a wrong clock nor anyone who can write to the store may
 * lock a user out until tomorrow. The clocks of this instance and of the store may both be slow.
 * @param storedAt by the clock of the store; not finite if unknown
 * @param isLive whether the entry has just been stored
 */
export function latestMoment (storedAt: number, now: number, isLive: boolean, clockTolerance: number): number {
  const stored = Number.isFinite(storedAt) ? storedAt : now
  const time = stored > now && stored < now + margin ? stored : now
  // The entry may revoke until a time in the future, and the clock of its writer may be fast.
  return Math.floor((isLive ? time : Math.min(time, stored + margin)) + 2 * clockTolerance)
}

export const writeEntry = ({ kind, id, issuer, moment }: Entry, keepFor: number): string =>
  JSON.stringify({ kind, id, issuer, moment, keepFor })

const maxLength = 65_536 // no id in a token of 8 KB makes a longer text

/** Parses an entry; null if it is malformed, because anyone who can write to the store can write anything. */
export function parseEntry (text: unknown): WrittenEntry | null {
  if (typeof text !== 'string' || text.length > maxLength) return null
  try {
    const { kind, id, issuer, moment, keepFor } = JSON.parse(text) as Record<keyof WrittenEntry, unknown>
    const isEntry = kinds.some((each) => each === kind) &&
      typeof id === 'string' && id !== '' && typeof issuer === 'string' &&
      Number.isSafeInteger(moment) && Number(moment) >= 0 && Number.isFinite(keepFor) && Number(keepFor) > 0
    return isEntry ? { kind, id, issuer, moment, keepFor } as WrittenEntry : null
  } catch {
    return null // it is no JSON, or `null`
  }
}
