import { isOneEditApart, squeeze } from '../options/nearest.js'
import type { UrlParameter } from './url.js'

/** Nouns for the owner in most APIs, alone or followed by `name`, `id`, `uuid` or `guid`. */
const owners = new Set(['user', 'owner'])
/** Nouns that, followed by an id, may name the owner but often name somebody else. */
const people = new Set(['account', 'author', 'member'])

export function misspeltOwner (parameters: readonly UrlParameter[], param: string): string | undefined {
  return wordsOf(parameters)
    .find((word) => looksLike(word, param) || owners.has(nounOf(word)) || squeeze(word) === 'uid')
}

export function misspeltBound (parameters: readonly UrlParameter[], param: string): string | undefined {
  return wordsOf(parameters).find((word) => looksLike(word, param))
}

/** Finds a parameter that may be the owner by another name (`account_id`, `/users/:id`). It is only worth a warning. */
export function possibleOwner (parameters: readonly UrlParameter[]): string | undefined {
  return parameters.find(({ name, before }) => {
    const noun = nounOf(name)
    const isIdOfPerson = squeeze(name) === 'id' && /\/(user|account|member)s?\/$/i.test(before)
    return isIdOfPerson || (people.has(noun) && noun !== squeeze(name))
  })?.name
}

function looksLike (name: string, param: string): boolean {
  const [a, b] = [squeeze(name), squeeze(param)]
  if (nounOf(name) === nounOf(param) || a === initials(param)) return true
  return Math.min(a.length, b.length) > 4 && isOneEditApart(a, b)
}

const wordsOf = (parameters: readonly UrlParameter[]) => parameters.flatMap(({ words }) => words)

const nounOf = (name: string) => squeeze(name).replace(/(?<=.)(name|uuid|guid|id)$/, '')

/** `user_id` and `userId` → `uid`: the first letter of each word, and the whole last word. */
function initials (name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase().split('_')
  return words.slice(0, -1).map((word) => word.charAt(0)).join('') + String(words.at(-1))
}
