import { Type, type TProperties } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'
import { issuerSchema } from '../options/issuers.js'
import { assertValid, pick } from '../options/validate.js'

/**
 * Every preset also takes the options of an `issuers` entry, which replace the preset's values. Only `requiredClaims`
 * are added to the preset's, claim by claim, and `machine` and `otherTokens` to its own.
 */
export type Overrides = Partial<IssuerOptions>

/** @throws InvalidOptionError that names the option of the preset */
type Fail = (option: string, says: string) => never

/**
 * Creates a vendor's preset: the entry that `build` returns, overridden by the host's options. What refuses or marks
 * tokens is merged: a host that adds to it must not let in ID tokens or tokens of applications.
 * @param own the schemas of its own options, which messages name first
 * @param build makes the entry of valid options, or calls `fail` with one that fits no token of the vendor
 * @returns a function that throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export function preset<Options extends Overrides> (
  name: string, own: TProperties, build: (options: Options, fail: Fail) => IssuerOptions & { jwksUri: string }
): (options: Options) => IssuerOptions {
  const ofEntry = Type.Partial(issuerSchema).properties
  // Twice: the first gives the order, the last replaces what an entry has by the same name.
  const { note } = issuerSchema as { note?: string }
  const schema = Type.Object({ ...own, ...ofEntry, ...own }, { additionalProperties: false, note })
  const fail: Fail = (option, says) => { throw new InvalidOptionError(`option "${name}.${option}" ${says}`) }
  const make = (options: Options): IssuerOptions => {
    assertValid(schema, options as unknown, name)
    const given = pick(options, Object.keys(schema.properties))
    const { jwksUri, ...defaults } = build(given as Options, fail)
    const { requiredClaims, machine = {}, otherTokens = [], ...overrides } =
      pick(given, Object.keys(ofEntry)) as Overrides
    const { issuer = defaults.issuer } = overrides
    // It is compared with "iss" exactly, so it could never match.
    if (issuer !== defaults.issuer && plain(issuer) === plain(defaults.issuer)) {
      fail('issuer', `must be "${defaults.issuer}" to the letter. Fix: leave it out`)
    }
    const keys = overrides.discovery ? {} : { jwksUri }
    const marks = Object.entries(defaults.machine ?? {}).map(([claim, mark]) => {
      const { [claim]: yours } = machine
      return [claim, yours === undefined ? mark : [mark, yours].flat()]
    })
    return {
      ...defaults,
      ...keys,
      ...overrides,
      requiredClaims: { ...defaults.requiredClaims, ...requiredClaims },
      machine: { ...machine, ...Object.fromEntries(marks) },
      otherTokens: [...otherTokens, ...defaults.otherTokens ?? []] // messages name an entry by its place in your list
    }
  }
  return Object.defineProperty(make, 'name', { value: name })
}

const plain = (url: string) => trimSlashes(url).toLowerCase()

/** Removes slashes at the end of a URL. */
export const trimSlashes = (url: string) => url.replace(/\/+$/, '')

export const anyUrl = String.raw`https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?`

/** As in "iss": in lower case, and without the default port. */
export const anyHost = String.raw`(?!.*:443\/*$)(localhost|[a-z\d-]+(\.[a-z\d-]+)+)(:\d+)?\/*`
