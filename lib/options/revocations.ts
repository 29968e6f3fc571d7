import { Type } from '@sinclair/typebox'
import type { RevocationsOptions, RevocationStore } from '../contract/revocations.js'
import { oneOf, seconds } from './schemas.js'
import { assertValid, isPlain } from './validate.js'

/** Its members are checked later, because a store may be an instance of a class. */
export const revocationsSchema = Type.Unsafe<true | RevocationStore | RevocationsOptions>(
  Type.Union([Type.Literal(true), Type.Object({})], {
    expects: 'left out, or be true, a store such as redisRevocations(), or an object with store and keepFor',
    opaque: true
  })
)

/** Options that `redisRevocations()` has too. */
export const whenStale = {
  maxStale: Type.Optional(seconds(1, 86_400)),
  whenDown: Type.Optional(oneOf(['refuse', 'serve'], '"refuse" or "serve"'))
}

const method = Type.Function([], Type.Any())
const store = Type.Object({ publish: method, follow: method, ...whenStale }, {
  expects: 'a store, with the functions publish and follow', opaque: true
})

const longForm = Type.Object({
  store: Type.Optional(Type.Unsafe<RevocationStore>(store)),
  keepFor: Type.Optional(seconds(1, 315_576_000, 'ten years'))
}, { additionalProperties: false, note: 'others belong to the store, as in redisRevocations({ url, … })' })

export interface RevocationSettings extends Required<Pick<RevocationStore, 'maxStale' | 'whenDown'>> {
  /** Null: only in this app. */
  readonly store: RevocationStore | null
  /** Seconds. */
  readonly keepFor: number
}

/**
 * Reads option `revocations`; null if it is off.
 * @throws InvalidOptionError
 */
export function readRevocations (
  option: true | RevocationStore | RevocationsOptions | undefined
): RevocationSettings | null {
  if (option === undefined) return null
  const options = inLongForm(option)
  assertValid(longForm, options, 'revocations')
  const { store = null, keepFor = 2_592_000 } = options
  const { maxStale = 60, whenDown = 'refuse' } = store ?? {}
  return Object.freeze({ store, keepFor, maxStale, whenDown })
}

function inLongForm (option: true | RevocationStore | RevocationsOptions): RevocationsOptions {
  if (option === true) return {}
  // Any object that is not plain must be a store, such as an instance of a class. A promise of one is not.
  const isStore = 'publish' in option || 'follow' in option || !(isPlain(option) || 'store' in option)
  return isStore ? { store: option as RevocationStore } : option
}
