import type { LightMyRequestResponse } from 'fastify'

export type ObjectId = string | number
export type MadeIds = Readonly<Record<string, ObjectId>>
export type SomeIds = Readonly<Record<string, ObjectId | undefined>>
/** Ids to send, by name: one, or several to a place that takes a list. */
export type Ids = Readonly<Record<string, ObjectId | undefined | ReadonlyArray<ObjectId | undefined>>>

/**
 * Returns another id of the same form that hardly any object has.
 * @param isMade whether an object is known to have it: the digits of a short name, such as `f49.txt`, may be another's
 */
export function missingLike (id: ObjectId = '', isMade = (_id: string) => false): ObjectId {
  if (typeof id === 'number') return Number(missingLike(String(id)))
  const [, text = '', count] = /^(\D*)(0|[1-9]\d{0,8})$/.exec(id) ?? []
  // A counter: far ahead, but still an integer of 32 bits. Many digits after a text may have a fixed width.
  if (count !== undefined && (text === '' || count.length < 4)) return text + String(2e9 + Number(count) % 1e8)
  const end = id.slice(-8)
  const digits = end.replace(/\d/g, (digit) => String(9 - Number(digit)))
  const letters = end.replace(/[a-z]/g, (letter) => letter === 'a' ? 'b' : 'a')
    .replace(/[A-Z]/g, (letter) => letter === 'A' ? 'B' : 'A')
  const start = id.slice(0, -8)
  return start + ([digits, letters].find((each) => each !== end && !isMade(start + each)) ?? `${end}x`)
}

/** The regular expression for a text. */
export const literally = (text: string): string => text.replace(/\W/g, '\\$&')

/**
 * Whether an answer has the id, and its text without the id. A long id counts wherever it stands; a short one as a
 * value, or as a word in a link or another text without spaces. A number counts only where ids stand: in lists, and in
 * members called `name` or `…id`.
 */
export function readId (body: string, id: ObjectId = '', name = ''): { has: boolean, text: string } {
  const forms = [String(id), encodeURIComponent(id)].map(literally)
  const isLong = String(id).length >= 16 // nobody writes it by chance
  const word = new RegExp(isLong ? forms.join('|') : `(?<![\\w-])(${forms.join('|')})(?![\\w-])`, 'g')
  const isNumber = !isLong && /^\d+$/.test(String(id))
  let has = false
  try {
    const rest: unknown = JSON.parse(body, function (this: unknown, key, value: unknown) {
      const isPlace = !isNumber || Array.isArray(this) || key === name || /ids?$/i.test(key)
      const isKey = key === String(id) || (isLong && key.search(word) >= 0)
      const isId = (isPlace && String(value) === String(id)) || (!Array.isArray(this) && isKey)
      const isSearched = typeof value === 'string' && !isNumber && (isLong || !/\s/.test(value))
      has ||= isId || (isSearched && value.search(word) >= 0)
      if (isId) return '…'
      return typeof value === 'string' ? value.replace(word, '…') : value
    })
    return { has, text: JSON.stringify(rest) }
  } catch {
    return { has: !isNumber && word.test(body), text: body.replace(word, '…') }
  }
}

/** Whether the body or a header of an answer has the id. */
export const hasId = ({ body, headers }: LightMyRequestResponse, id: ObjectId | undefined, name: string): boolean =>
  [body, JSON.stringify(headers)].some((text) => readId(text, id, name).has)

/** The text of an answer without these ids of a kind. */
export const withoutIds = (body: string, name: string, ...each: SomeIds[]): string =>
  each.reduce((text, ids) => readId(text, ids[name], name).text, body)

/** Returns all subsets, the small ones first; of more than four kinds those of one, of two, and all. */
export const subsets = (kinds: readonly string[]): string[][] => kinds
  .reduce<string[][]>((sets, kind) => [...sets, ...sets.map((set) => [...set, kind])], [[]])
  .filter(({ length }) => length > 0 && (kinds.length <= 4 || length <= 2 || length === kinds.length))
  .sort((one, two) => one.length - two.length)
