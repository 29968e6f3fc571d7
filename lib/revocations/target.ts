import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import { text } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { kinds, type Entry } from './entry.js'

const id = text('a non-empty string', /[^]/)
// A whole token here would be taken for an id, and revoke nothing. Its header, `{"…`, begins with `eyJ`. The pattern
// begins with the dot behind it: from each `eyJ` on, a long id would take a time that grows with its square.
const tokenId = text(
  'the claim "jti" of the token, and not the token itself. If it has none, revoke its session or user',
  /^(?![^]*\.(?<=eyJ[\w-]{10,}\.)[\w-]{10,}\.)[^]/
)

const schema = Type.Object({
  user: Type.Optional(id),
  session: Type.Optional(id),
  token: Type.Optional(tokenId),
  issuedBefore: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Date({ minimumTimestamp: 0 })], {
    expects: 'a Date object, or seconds since 1970', opaque: true
  })),
  issuer: Type.Optional(Type.String({ expects: 'a string' }))
}, { additionalProperties: false })

/**
 * Validates the argument of `revoke()` and converts it to an entry.
 * @param issuers the configured issuers, and `'secret'` if there is a secret
 * @param now seconds since 1970
 * @param ahead seconds by which `issuedBefore` may be in the future
 * @throws InvalidOptionError that names the option
 */
export function readTarget (target: unknown, issuers: readonly string[], now: number, ahead: number): Entry {
  assertValid(schema, target, 'revoke')
  const { issuer = '', issuedBefore = now } = target
  const [about, another] = kinds.flatMap((kind) => target[kind] === undefined ? [] : [{ kind, id: target[kind] }])
  if (about === undefined || another !== undefined) {
    throw new InvalidOptionError('revoke() must be given exactly one of the options "user", "session" and "token"')
  }
  const { kind, id } = about
  if (kind !== 'user' && 'issuedBefore' in target) {
    throw new InvalidOptionError(`option "revoke.issuedBefore" is for a user: all tokens of a ${kind} are revoked`)
  }
  if ('issuer' in target && !issuers.includes(issuer)) {
    throw new InvalidOptionError(`option "revoke.issuer" must be ${issuers.map((each) => `"${each}"`).join(' or ')}`)
  }
  const moment = issuedBefore instanceof Date ? issuedBefore.getTime() / 1000 : issuedBefore
  if (moment > now + ahead) {
    throw new InvalidOptionError('option "revoke.issuedBefore" is ahead of now by more than option "clockTolerance", ' +
      'and would revoke tokens that do not exist yet. Fix: give a date, or seconds (not milliseconds) since 1970')
  }
  return { kind, id, issuer, moment: Math.floor(moment) }
}
