const words = 2 ** 19 // 2 MiB

/**
 * A Bloom filter with both bits of an id in one word: it rules out nearly every id that was not added. A look-up in a
 * long list waits for the main memory several times, this one once.
 */
export class Seen {
  readonly #words = new Int32Array(words)

  add (id: string): void {
    const hash = hashOf(id)
    this.#words[hash >>> 13] = Number(this.#words[hash >>> 13]) | bitsOf(hash)
  }

  /** False: the id was not added. True: it may have been. */
  mayHave (id: string): boolean {
    const hash = hashOf(id)
    return (Number(this.#words[hash >>> 13]) & bitsOf(hash)) === bitsOf(hash)
  }

  clear (): void {
    this.#words.fill(0)
  }
}

/** Shifts take the lowest five bits of a number. */
const bitsOf = (hash: number): number => 1 << hash | 1 << (hash >>> 5)

/**
 * Of the last eight characters, in which most ids differ. Where many end alike, as e-mail addresses do, or are made to,
 * look-ups are slower, and nothing else.
 */
function hashOf (id: string): number {
  let hash = 0
  for (let n = Math.max(0, id.length - 8); n < id.length; n++) hash = Math.imul(hash, 33) ^ id.charCodeAt(n)
  hash = Math.imul(hash, 0x9e3779b1)
  return hash ^ hash >>> 15
}
