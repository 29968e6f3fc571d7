import { createClient, ErrorReply } from '@redis/client'
import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from './contract/errors.js'
import type { FollowOptions, RevocationStore, StoredRevocation } from './contract/revocations.js'
import { timeLimit, within } from './contract/within.js'
import { whenStale } from './options/revocations.js'
import { text } from './options/schemas.js'
import { assertValid } from './options/validate.js'
import { stopwatch } from './keys/stopwatch.js'
import { margin } from './revocations/entry.js'
import { isBelow, timeOf } from './revocations/stream.js'

export interface RedisRevocationsOptions extends Pick<RevocationStore, 'maxStale' | 'whenDown'> {
  /** `redis://user:secret@host:6379/0`, or `rediss://` with TLS. Percent-encode special characters in the password. */
  url: string
  /** The stream is `<prefix>:revocations`. Use one prefix for each application. Default `'fastify-user-scope'`. */
  prefix?: string
}

const schema = Type.Object({
  url: text(
    'the URL of a Redis or Valkey server: redis://… or rediss://…, without "?" and "#" (percent-encode them in a ' +
      'password)',
    /^rediss?:\/\/[^?#]+$/
  ),
  prefix: Type.Optional(text('letters, digits and any of _ - . : { }', /^[\w.:{}-]+$/)),
  ...whenStale
}, { additionalProperties: false })

const pageSize = 1000 // entries
const halfMargin = margin * 1000 / 2 // milliseconds

/**
 * Creates a store for option `revocations`: a stream of Redis or Valkey that all instances follow.
 * @throws InvalidOptionError
 */
export function redisRevocations (options: RedisRevocationsOptions): RevocationStore {
  assertValid(schema, options, 'redisRevocations')
  const { url, prefix = 'fastify-user-scope', ...settings } = options
  // Checked here, because the error of the client would quote the URL, which may have a password.
  if (!URL.canParse(url)) {
    throw new InvalidOptionError('option "redisRevocations.url" is not a URL. Fix: percent-encode special characters ' +
      'in its password')
  }
  const stream = new Stream(url, `${prefix}:revocations`)
  return Object.freeze({
    ...settings,
    publish: (entry: string, keepFor: number) => stream.add(entry, keepFor),
    follow: (options: FollowOptions) => stream.follow(options)
  })
}

/**
 * Opens a connection that can be ended in any state. The client's own reconnecting is turned off: it would hide that
 * the server has lost entries meanwhile, and would wait forever for a paused server.
 */
function connect (url: string) {
  const socket = { reconnectStrategy: false, connectTimeout: timeLimit * 1000 } as const
  const client = createClient({ url, RESP: 2, socket })
  client.on('error', () => {}) // the command in flight fails too
  const end = new AbortController()
  let isConnected = false
  const destroy = () => { if (isConnected && client.isOpen) client.destroy() }
  client.once('connect', () => {
    isConnected = true
    if (end.signal.aborted) destroy()
  })
  end.signal.addEventListener('abort', destroy)
  // With a time limit, because it may never settle after the client was destroyed.
  return { ready: within(client.connect(), 2 * timeLimit, end.signal), end }
}

type Connection = ReturnType<typeof connect>
type Client = Awaited<Connection['ready']>

class Stream {
  readonly #url: string
  readonly #key: string
  /** The server's time of the latest id, in milliseconds since 1970. */
  #latest = 0
  /** Followers and writes in flight. */
  #users = 0
  #writer: Connection | null = null

  constructor (url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async add (entry: string, keepFor: number): Promise<void> {
    const threshold = earliestOf(this.#latest, keepFor)
    const trim = threshold > 0 ? { TRIM: { strategy: 'MINID', strategyModifier: '~', threshold } as const } : {}
    // The connection of a failed write is closed.
    if (this.#writer?.end.signal.aborted !== false) this.#writer = connect(this.#url)
    const writer = this.#writer
    this.#users++
    try {
      const client = await writer.ready
      const id = await within(client.xAdd(this.#key, '*', { entry }, trim), timeLimit, writer.end.signal)
      this.#latest = timeOf(id)
    } catch (error) {
      // Closes the connection, unless the server itself answered with an error. READONLY means the wrong server.
      if (!(error instanceof ErrorReply) || error.message.startsWith('READONLY')) writer.end.abort()
      throw error
    } finally {
      this.#leave()
    }
  }

  /** The last user closes the shared connection for writes. */
  #leave (): void {
    if (--this.#users === 0) this.#writer?.end.abort()
  }

  async * follow ({ signal, interval, keepFor }: FollowOptions): AsyncGenerator<StoredRevocation[]> {
    const { ready, end } = connect(this.#url)
    signal.addEventListener('abort', () => { end.abort() })
    this.#users++
    try {
      const client = await ready
      const seen: Progress = { last: '0-0', milestones: [] }
      let isWhole = false
      let sinceCheck = stopwatch()
      for (;;) {
        const { last } = seen
        const wait = isWhole ? { BLOCK: Math.ceil(interval * 1000) } : {}
        const streams = await client.xRead({ key: this.#key, id: last }, { COUNT: pageSize, ...wait })
        const messages = streams?.[0]?.messages ?? []
        for (const { id } of messages) {
          seen.last = id
          if (timeOf(id) - timeOf(seen.milestones.at(-1) ?? '0') >= halfMargin) seen.milestones.push(id)
          this.#latest = timeOf(id)
        }
        yield messages.map(({ id, message }) => ({ entry: String(message['entry']), storedAt: timeOf(id) / 1000 }))
        // If others write all the time, there would never be an empty page.
        if (!isWhole && messages.length > 0 && messages.length < pageSize) yield []
        const mayHideLoss = isWhole && messages.length > 0
        isWhole ||= messages.length < pageSize
        if (!mayHideLoss && (seen.last === '0-0' || sinceCheck() < interval)) continue
        await this.#assertUnchanged(client, last, seen, keepFor)
        sinceCheck = stopwatch()
      }
    } finally {
      end.abort()
      this.#leave()
    }
  }

  /**
   * Detects a stream that was deleted, trimmed or rolled back: it is then read again and gets what it lacks.
   * @param before the last id that was seen before the latest page, because a new entry may hide its loss
   * @throws Error if an entry is gone that is too young to be trimmed
   */
  async #assertUnchanged (client: Client, before: string, seen: Progress, keepFor: number): Promise<void> {
    const [found, info] = await Promise.all([
      client.xRange(this.#key, before, before),
      client.xInfoStream(this.#key)
    ])
    const { 'first-entry': first, 'last-generated-id': last } = info
    const since = keptSince(timeOf(last), keepFor)
    seen.milestones = seen.milestones.filter((id) => timeOf(id) >= since)
    const [oldest] = seen.milestones
    const isTrimmed = oldest !== undefined && (first === null || isBelow(oldest, first.id))
    const isLost = before !== '0-0' && !found?.length && timeOf(before) >= since
    if (isTrimmed || isLost || isBelow(last, seen.last)) throw new Error('entries of the stream are gone')
  }
}

/** How far a stream was read: the last id, and one id for each half of the margin, to detect a loss. */
interface Progress { last: string, milestones: string[] }

/** An entry is only trimmed if it is old by both clocks, because one of them may be wrong. */
const earliestOf = (latest: number, keepFor: number): number =>
  Math.floor(Math.min(latest, Date.now()) - keepFor * 1000)

/** Entries that are almost old enough may already be trimmed, because clocks differ. */
const keptSince = (latest: number, keepFor: number): number => earliestOf(latest, keepFor) + halfMargin
