const bits = 2 ** 24 // 2 MiB

/**
 * A Bloom filter with one hash: it knows of nearly every id that was not added that it was not. A long list makes a
 * look-up wait for the main memory several times, this one once.
 */
export class Seen {
  readonly #bits = new Uint8Array(bits / 8)

  add (id: string): void {
    const place = placeOf(id)
    this.#bits[place >> 3] = Number(this.#bits[place >> 3]) | 1 << (place & 7)
  }

  /** False: the id was not added. True: it may have been. */
  mayHave (id: string): boolean {
    const place = placeOf(id)
    return (Number(this.#bits[place >> 3]) >> (place & 7) & 1) === 1
  }

  clear (): void {
    this.#bits.fill(0)
  }
}

/**
 * FNV-1a of at most 32 characters, from all over a longer id. Anyone who finds ids of one place makes look-ups slower,
 * and nothing else.
 */
function placeOf (id: string): number {
  const step = 1 + (id.length >> 5)
  let hash = 0x811c9dc5
  for (let n = id.length - 1; n >= 0; n -= step) hash = Math.imul(hash ^ id.charCodeAt(n), 0x01000193)
  return (hash ^ hash >>> 15) & (bits - 1)
}
