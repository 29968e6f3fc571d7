import { isOneEditApart, squeeze } from '../options/nearest.js'
import type { UrlParameter } from './url.js'

/** Nouns for the owner in most APIs, alone or followed by `name`, `id`, `uuid` or `guid`. */
const owners = new Set(['user', 'owner'])
/** Nouns that, followed by an id, may name the owner but often name somebody else. */
const people = new Set(['account', 'author', 'member'])

export function misspeltOwner (parameters: readonly UrlParameter[], param: string): string | undefined {
  return wordsOf(parameters).find((word) => looksLike(word, param) || owners.has(formOf(word).noun))
}

export function misspeltBound (parameters: readonly UrlParameter[], param: string): string | undefined {
  return wordsOf(parameters).find((word) => looksLike(word, param))
}

/** Finds a parameter that may be the owner by another name (`account_id`, `/users/:id`). It is only worth a warning. */
export function possibleOwner (parameters: readonly UrlParameter[]): string | undefined {
  return parameters.find(({ name, before }) => {
    const { noun, squeezed } = formOf(name)
    const isIdOfPerson = name === 'id' && /\/(user|account|member)s?\/$/i.test(before)
    return isIdOfPerson || (people.has(noun) && noun !== squeezed)
  })?.name
}

function looksLike (name: string, param: string): boolean {
  const [a, b] = [formOf(name), formOf(param)]
  if (a.noun === b.noun || a.squeezed === b.initials) return true
  return Math.min(a.squeezed.length, b.squeezed.length) > 4 && isOneEditApart(a.squeezed, b.squeezed)
}

const wordsOf = (parameters: readonly UrlParameter[]) => parameters.flatMap(({ words }) => words)

interface Form { squeezed: string, noun: string, initials: string }

/** Kept, because the routes of an app have few names. */
const forms = new Map<string, Form>()

function formOf (name: string): Form {
  const known = forms.get(name)
  if (known) return known
  const squeezed = squeeze(name)
  const form = { squeezed, noun: squeezed.replace(/(?<=.)(name|uuid|guid|id)$/, ''), initials: initials(name) }
  forms.set(name, form)
  return form
}

/** `user_id` and `userId` → `uid`: the first letter of each word, and the whole last word. */
function initials (name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase().split('_')
  return words.slice(0, -1).map((word) => word.charAt(0)).join('') + String(words.at(-1))
}
