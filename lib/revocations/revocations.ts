import cluster from 'node:cluster'
import type { FastifyBaseLogger } from 'fastify'
import { InvalidOptionError, refuse, type Refusal } from '../contract/errors.js'
import { warnHost } from '../contract/log.js'
import { cut } from '../contract/quote.js'
import type { Revocation } from '../contract/revocations.js'
import type { VerifiedUser } from '../contract/types.js'
import { timeLimit } from '../contract/within.js'
import type { RevocationSettings } from '../options/revocations.js'
import type { Settings } from '../options/settings.js'
import { own } from '../token/claim-rules.js'
import { lifetime } from './entry.js'
import { Feed } from './feed.js'
import { RevocationList, type Entries } from './list.js'
import { readTarget } from './target.js'

const longestPause = 3_600_000 // milliseconds
const workerAlone = 'fastify-user-scope: this is a worker of a cluster, and the others do not know what it revokes. ' +
  'Fix: give option "revocations" a store, such as redisRevocations()'

/** By app: the lists of its registrations without a store. */
const listsOf = new WeakMap<object, Map<string, RevocationList>>()

/**
 * Returns the list of the registrations of an app that have the same secrets and issuers, such as those that a loader
 * makes for each folder. Others may have other users with the same ids.
 */
function listFor (app: object, { secrets, issuers }: Settings): RevocationList {
  const users = issuers.map(({ issuer, idPrefix }) => JSON.stringify([issuer, idPrefix]))
  const key = JSON.stringify([[...secrets].sort(), users.sort()])
  const lists = listsOf.get(app) ?? new Map<string, RevocationList>()
  const list = lists.get(key) ?? new RevocationList()
  listsOf.set(app, lists.set(key, list))
  return list
}

/** The list of revoked tokens. It is in memory, because it is checked at every request. */
export class Revocations {
  readonly #settings: RevocationSettings
  readonly #list: RevocationList
  readonly #clockTolerance: number
  readonly #issuers: readonly string[]
  readonly #feed: Feed | null
  readonly #sweeper: NodeJS.Timeout

  /**
   * @param app the root context
   * @param onEntry called when there is a new entry
   */
  constructor (
    settings: RevocationSettings,
    others: Settings,
    log: FastifyBaseLogger,
    app: object,
    onEntry: () => void
  ) {
    const { store, keepFor } = settings
    const { secrets, issuers, claimRules: { clockTolerance } } = others
    this.#settings = settings
    this.#list = store ? new RevocationList() : listFor(app, others)
    if (!store && cluster.isWorker && this.#list.onEntry.length === 0) warnHost(log, workerAlone) // once for each list
    this.#list.onEntry.push(onEntry)
    this.#list.lifetime = Math.max(this.#list.lifetime, lifetime(keepFor, clockTolerance))
    this.#clockTolerance = clockTolerance
    this.#issuers = [...secrets.length > 0 ? ['secret'] : [], ...issuers.map(({ issuer }) => issuer)]
    this.#feed = store && new Feed({ ...settings, store, clockTolerance }, this.#list, log)
    // By the slower of two clocks: if the wall clock is ahead for a while, entries that still count must stay.
    const slowNow = () => Math.min(Date.now(), performance.timeOrigin + performance.now())
    const sweep = () => { this.#list.deleteBefore(this.#earliestAt(slowNow())) }
    this.#sweeper = setInterval(sweep, Math.min(keepFor * 100, longestPause)).unref()
  }

  /** Refuses a token that is revoked, that could outlive its revocation, or while the list is stale; else null. */
  check (user: VerifiedUser): Refusal | null {
    const revoked = this.findRevocation(user)
    if (revoked) return revoked
    const { iat, exp, sid, jti } = claimsOf(user)
    if (isRounded(sid) || isRounded(jti)) {
      return refuse('INVALID_CLAIMS', 'claim "sid" or "jti" is a number that JSON rounds. Fix: write it as a text')
    }
    if (iat === undefined) return refuse('INVALID_CLAIMS', 'claim "iat" is missing, which revocations require')
    const { keepFor, whenDown } = this.#settings
    if (exp - iat > keepFor) {
      const reason = `the token is valid for ${exp - iat} s, and revocations are kept for ${keepFor} s`
      return refuse('INVALID_CLAIMS', `${reason}. Fix: shorter tokens, or a longer keepFor in option "revocations"`)
    }
    if (whenDown === 'refuse' && this.#feed?.isStale) {
      const { fault } = this.#feed // the log has it once, perhaps long ago
      const reason = `the store of revocations has not answered for maxStale${fault === null ? '' : ` (${cut(fault)})`}`
      return refuse('REVOCATIONS_UNAVAILABLE', reason, { retryAfter: timeLimit })
    }
    return null
  }

  /** Returns the refusal of a revoked token; null if it is not revoked. */
  findRevocation (verified: VerifiedUser): Refusal | null {
    const { id, issuer, actor } = verified
    const { iat = 0, sid, jti } = claimsOf(verified)
    const { user, session, token } = this.#list
    // Dates in tokens are mostly whole seconds, so a token that was issued in the same second is revoked too.
    if (Math.floor(iat) <= user.find(id, issuer)) {
      return refuse('TOKEN_REVOKED',
        'the tokens of the user were revoked after this one was issued, or in the same second')
    }
    // A revoked user must not go on as an actor for others.
    if (actor?.chain.some((each) => Math.floor(iat) <= user.find(each, issuer))) {
      return refuse('TOKEN_REVOKED', 'the tokens of an actor (claim "act") are revoked')
    }
    if (this.#has(session, sid, issuer)) return refuse('TOKEN_REVOKED', 'the session (claim "sid") is revoked')
    if (this.#has(token, jti, issuer)) return refuse('TOKEN_REVOKED', 'the token (claim "jti") is revoked')
    return null
  }

  #has (entries: Entries, id: unknown, issuer: string): boolean {
    if (typeof id !== 'string' && typeof id !== 'number') return false
    const moment = entries.find(String(id), issuer) // revoke() takes texts only
    return moment >= 0 && moment >= this.#earliestAt(Date.now())
  }

  /** Returns the earliest moment, in seconds since 1970, that still counts at a time in milliseconds since 1970. */
  #earliestAt (time: number): number {
    return time / 1000 - this.#list.lifetime
  }

  /** @throws InvalidOptionError */
  async revoke (target: Revocation): Promise<void> {
    const entry = readTarget(target, this.#issuers, Date.now() / 1000, this.#clockTolerance)
    this.#list.add(entry)
    await this.#feed?.publish(entry)
  }

  /** @throws RevocationsUnreachableError, InvalidOptionError */
  async start (): Promise<void> {
    await this.#feed?.start()
  }

  stop (): void {
    clearInterval(this.#sweeper)
    this.#feed?.stop()
  }
}

/** The claims that revocations depend on. A member of Object.prototype must not replace a missing one. */
const claimsOf = ({ claims }: VerifiedUser) => ({
  iat: own(claims, 'iat') as number | undefined, exp: claims.exp, sid: own(claims, 'sid'), jti: own(claims, 'jti')
})

/** Whether JSON may have rounded a number, so that nobody could name it in `revoke()`. */
const isRounded = (id: unknown): boolean => typeof id === 'number' && Math.abs(id) > Number.MAX_SAFE_INTEGER

export function createRevoke (revocations: Revocations | null): (target: Revocation) => Promise<void> {
  return async (target) => {
    if (revocations) return await revocations.revoke(target)
    throw new InvalidOptionError('revoke() needs option "revocations". Fix: revocations: true, or a store')
  }
}
