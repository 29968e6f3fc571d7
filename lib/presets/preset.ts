import type { IssuerOptions } from '../contract/issuer.js'

/**
 * What every preset takes beside its own: any option of an `issuers` entry, which then wins. `requiredClaims` are added to the preset's, claim by claim.
 */
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

/** Without the slashes that people put behind a URL. */
export const bare = (url: string) => url.replace(/\/+$/, '')

export const anyUrl = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/
