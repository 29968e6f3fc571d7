import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'

/** What every preset takes beside its own: any option of an `issuers` entry, which then wins. `requiredClaims` are added to the preset's, claim by claim. */
export type Overrides = Partial<IssuerOptions>

/**
 * The entry of a preset under the host's own options. Claims are added, as a list of the host's instead of the preset's would let ID tokens, or those of
 * other applications, pass in silence.
 */
export function entry (preset: Overrides & { jwksUri: string }, { requiredClaims, ...overrides }: Overrides): IssuerOptions {
  const { jwksUri, ...defaults } = preset
  const found = overrides.discovery === true ? {} : { jwksUri }
  // An option that is missing is for its own check to name.
  return { ...defaults, ...found, ...overrides, requiredClaims: { ...preset.requiredClaims, ...requiredClaims } } as IssuerOptions
}

/** Plain JavaScript may leave them out. */
export function given<T extends object> (preset: string, options: T | undefined): T {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`${preset}() must be given an object with its options`)
  return options
}

export const hostName = /^[a-z\d-]+(\.[a-z\d-]+)*(:\d+)?\/*$/
export const anyUrl = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/
export const bareOrigin = /^https?:\/\/[^\s/?#@]+\/*$/
export const requestOrigin = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/
export const guid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
export const text = /\S/

/** A preset's own option, without the slashes that people put behind a URL. What a missing variable leaves must not become a part of the issuer. */
export function read (name: string, value: unknown, form: RegExp, expects: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw new InvalidOptionError(`option "${name}" must be ${expects}`)
  return value.replace(/\/+$/, '')
}

/** The same for one or several, as they are. */
export function readAll (name: string, values: string | string[], form: RegExp, expects: string): string | string[] {
  const listed = [values].flat()
  if (listed.length === 0) throw new InvalidOptionError(`option "${name}" must be ${expects}`)
  for (const value of listed) read(name, value, form, expects)
  return values
}
