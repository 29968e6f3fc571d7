import { Type, type TObject, type TProperties } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'
import { issuerSchema } from '../options/issuers.js'

/**
 * What every preset takes besides its own options: any of an `issuers` entry, which then wins. `requiredClaims` are
 * added to the preset's, claim by claim.
 */
export type Overrides = Partial<IssuerOptions>

/** The schema of a preset's options: its own, which messages name first, and those of an entry. */
export const presetSchema = (own: TProperties): TObject =>
  Type.Object({ ...own, ...Type.Partial(issuerSchema).properties, ...own }, { additionalProperties: false })

/**
 * The entry of a preset with the host's own options over it. Claims are added: a list of the host's in place of the
 * preset's would silently let in ID tokens, or tokens of other applications.
 * @param name of the preset
 */
export function entry (name: string, preset: IssuerOptions, options: Overrides): IssuerOptions {
  const { jwksUri, ...defaults } = preset
  const { requiredClaims, ...overrides } = options
  const { issuer = preset.issuer } = overrides
  // Compared with "iss" exactly: it could never match.
  if (issuer !== preset.issuer && plain(issuer) === plain(preset.issuer)) {
    throw new InvalidOptionError(`option "${name}.issuer" must be "${preset.issuer}" to the letter. Fix: leave it out`)
  }
  const keys = overrides.discovery === true || jwksUri === undefined ? {} : { jwksUri }
  return { ...defaults, ...keys, ...overrides, requiredClaims: { ...preset.requiredClaims, ...requiredClaims } }
}

const plain = (url: string) => bare(url).toLowerCase()

/** Without the slashes that people put after a URL. */
export const bare = (url: string) => url.replace(/\/+$/, '')

export const anyUrl = String.raw`https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?`
