import type { FollowOptions, RevocationStore, StoredRevocation } from '../../lib/index.js'

/** A store in memory, which fails and loses as it is told to. */
export class MemoryStore implements RevocationStore {
  entries: StoredRevocation[] = []
  /** What `publish` was given. */
  readonly published: Array<{ entry: string, keepFor: number }> = []
  readonly followed: FollowOptions[] = []
  /** While it is set, `publish` and `follow` fail. */
  fault: unknown
  /** While it is set, nothing is answered. */
  isPaused = false
  /** Called by `publish`, before anything else. */
  onPublish = () => {}
  /** Called when a list was taken. */
  onList = async (_list: readonly StoredRevocation[]) => {}
  #wake = new Set<() => void>()
  #version = 0

  /** Lets everyone who follows look again. */
  wake (): void {
    this.#version++
    for (const wake of this.#wake) wake()
  }

  /** As another process would write it. */
  write (entry: unknown, storedAt = Date.now() / 1000): void {
    this.entries.push({ entry: typeof entry === 'string' ? entry : JSON.stringify(entry), storedAt })
    this.wake()
  }

  async publish (entry: string, keepFor: number): Promise<void> {
    this.published.push({ entry, keepFor })
    this.onPublish()
    await this.#answer()
    this.write(entry)
  }

  async * follow (options: FollowOptions): AsyncGenerator<StoredRevocation[]> {
    this.followed.push(options)
    options.signal.addEventListener('abort', () => { this.wake() })
    let [entries, read] = [this.entries, 0]
    for (;;) {
      const version = this.#version
      await this.#answer(options.signal)
      const list = entries.slice(read, read + 2)
      read += list.length
      yield list
      await this.onList(list)
      if (list.length === 0 && version === this.#version) await this.#next(options.signal)
      if (this.entries !== entries) [entries, read] = [this.entries, 0]
    }
  }

  /** Whether anyone follows. */
  get isFollowed (): boolean {
    return this.#wake.size > 0
  }

  async #next (signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Error('aborted')
    let wake = () => {}
    await new Promise<void>((resolve) => {
      wake = resolve
      this.#wake.add(wake)
    })
    this.#wake.delete(wake)
  }

  async #answer (signal = new AbortController().signal): Promise<void> {
    while (this.isPaused) await this.#next(signal)
    if (signal.aborted) throw new Error('aborted')
    if (this.fault !== undefined) throw this.fault
  }
}
