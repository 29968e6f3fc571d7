const smallest = 4096 // ids, below which a map is fast without a filter
const bitsForEach = 16
const edge = 8 // characters

/**
 * A map by id that says quickly of an id that it is not there. Of a million entries a look-up waits for the main memory
 * several times; the filter in front of it, two bits for each id, fits into the processor's cache.
 */
export class IdMap {
  readonly #map = new Map<string, number>()
  /** One word in a Bloom filter has both bits of an id. Empty while the map is small. */
  #filter = new Int32Array(0)

  get size (): number {
    return this.#map.size
  }

  get (id: string): number | undefined {
    if (this.#filter.length > 0 && !this.#mayHave(hashOf(id))) return undefined
    return this.#map.get(id)
  }

  set (id: string, value: number): void {
    this.#map.set(id, value)
    const { length } = this.#filter
    if (this.#map.size > Math.max(smallest, length * 32 / bitsForEach)) this.#rebuild()
    else if (length > 0) this.#mark(hashOf(id))
  }

  deleteIf (isOver: (value: number) => boolean): void {
    const before = this.#map.size
    for (const [id, value] of this.#map) if (isOver(value)) this.#map.delete(id)
    if (this.#map.size < before) this.#rebuild()
  }

  [Symbol.iterator] (): IterableIterator<[id: string, value: number]> {
    return this.#map.entries()
  }

  /** With room for twice as many. */
  #rebuild (): void {
    const { size } = this.#map
    const words = size > smallest ? 2 ** Math.ceil(Math.log2(2 * size * bitsForEach / 32)) : 0
    this.#filter = new Int32Array(words) // a power of two
    if (words > 0) for (const id of this.#map.keys()) this.#mark(hashOf(id))
  }

  #mark (hash: number): void {
    const word = hash & (this.#filter.length - 1)
    this.#filter[word] = Number(this.#filter[word]) | bitsOf(hash)
  }

  #mayHave (hash: number): boolean {
    const bits = bitsOf(hash)
    return (Number(this.#filter[hash & (this.#filter.length - 1)]) & bits) === bits
  }
}
/**
 * FNV-1a, 32 bits, of the first and the last characters: ids differ there, and a long one takes no longer. Anyone who
 * finds ids of equal hashes makes look-ups slower, and nothing else.
 */
function hashOf (id: string): number {
  let hash = 0x811c9dc5
  const { length } = id
  for (let n = 0; n < length && n < edge; n++) hash = Math.imul(hash ^ id.charCodeAt(n), 0x01000193)
  for (let n = Math.max(edge, length - edge); n < length; n++) hash = Math.imul(hash ^ id.charCodeAt(n), 0x01000193)
  return hash ^ (hash >>> 15)
}

/** Two bits by the upper part of a hash, as the lower one has chosen the word. */
const bitsOf = (hash: number): number => (1 << (hash >>> 27)) | (1 << ((hash >>> 22) & 31))
