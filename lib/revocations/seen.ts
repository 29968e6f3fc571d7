const words = 2 ** 19 // 2 MiB

/**
 * A Bloom filter with both bits of an id in one word. It rules out nearly every id that was not added, with one access
 * to main memory. A look-up in a long list needs several.
 */
export class Seen {
  readonly #words = new Int32Array(words)

  add (id: string): void {
    const hash = hashOf(id)
    this.#words[hash >>> 13] = Number(this.#words[hash >>> 13]) | bitsOf(hash)
  }

  /** False if the id was not added; true if it may have been. */
  mayHave (id: string): boolean {
    const hash = hashOf(id)
    return (Number(this.#words[hash >>> 13]) & bitsOf(hash)) === bitsOf(hash)
  }

  clear (): void {
    this.#words.fill(0)
  }
}

/** Shift operators only use the lowest five bits of their right operand. */
const bitsOf = (hash: number): number => 1 << hash | 1 << (hash >>> 5)

/**
 * Hashes the last eight characters, in which most ids differ. If many ids end alike, such as e-mail addresses, look-ups
 * are only slower.
 */
function hashOf (id: string): number {
  let hash = 0
  for (let n = Math.max(0, id.length - 8); n < id.length; n++) hash = Math.imul(hash, 33) ^ id.charCodeAt(n)
  hash = Math.imul(hash, 0x9e3779b1)
  return hash ^ hash >>> 15
}
