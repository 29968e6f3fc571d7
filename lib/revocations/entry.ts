/** Whose tokens an entry is about, and which claim tells: the user's id, `sid` or `jti`. */
export const kinds = ['user', 'session', 'token'] as const
export type Kind = typeof kinds[number]

/** What no longer counts. */
export interface Entry {
  readonly kind: Kind
  readonly id: string
  /** Who vouched for the tokens: an issuer, or `'secret'`. Empty: anyone. */
  readonly issuer: string
  /** Whole seconds since 1970: of a user, tokens issued until then; of the others, when they were revoked. */
  readonly moment: number
}

/** What a store is given: an entry, with the `keepFor` of the instance that wrote it. */
export interface WrittenEntry extends Entry {
  readonly keepFor: number
}

/**
 * Seconds for which an entry counts: no token that it is about is valid any more then, be the clock of who revoked it
 * slow, and that of its issuer ahead. Moments are whole seconds, and dates of tokens need not be.
 */
export const lifetime = (keepFor: number, clockTolerance: number): number => keepFor + 3 * clockTolerance + 1

/** Seconds beyond that for which a store keeps entries, as its clock may be wrong. */
export const margin = 3600

/**
 * The latest moment that an entry may have: no clock may say that a user is out tomorrow, neither a wrong one, nor that
 * of anyone else who can write to the store. The clock of this instance may be slow, and that of the store as well.
 * @param storedAt by the clock of the store; not finite where it does not say
 * @param isLive whether it has just been stored
 */
export function latestMoment (storedAt: number, now: number, isLive: boolean, clockTolerance: number): number {
  const stored = Number.isFinite(storedAt) ? storedAt : now
  const time = stored > now && stored < now + margin ? stored : now
  // Who revoked until some time ahead may be ahead as well.
  return Math.floor((isLive ? time : Math.min(time, stored + margin)) + 2 * clockTolerance)
}

export const writeEntry = ({ kind, id, issuer, moment }: Entry, keepFor: number): string =>
  JSON.stringify({ kind, id, issuer, moment, keepFor })

const maxLength = 65_536 // of the text; no id in a token of 8 KB makes a longer one

/** The entry in a text, or null where it has none: anyone who can write to the store can write anything. */
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
