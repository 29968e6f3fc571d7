import { refuse } from '../contract/errors.js'
import type { TokenForm } from '../options/other-tokens.js'
import type { ClaimRules } from '../options/settings.js'
import { isAbsent, own, rule, type Jws, type Rule } from './claim-rules.js'

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const getAccessToken = 'send the access token instead'

/**
 * Refuses tokens of another purpose that are signed with the same key (RFC 8725 §2.8). They are recognized by their
 * form, because a host may use the names of their claims for claims of its own.
 * @throws Refusal `INVALID_CLAIMS`
 */
export function assertAccessToken (jws: Jws, others: readonly TokenForm[]): void {
  const events = own(jws.payload, 'events')
  // OpenID Connect Back-Channel Logout 1.0 §2.4
  if (typeof events === 'object' && events !== null && Object.hasOwn(events, logoutEvent)) {
    throw refuse('INVALID_CLAIMS', `a logout token: ${getAccessToken}`)
  }
  for (const { says, fits } of others) if (fits(jws)) throw refuse('INVALID_CLAIMS', says)
}

/**
 * Other tokens that an issuer signs with the same keys: ID tokens, and tokens that are bound to a key. The claims of ID
 * tokens are looked for unless the entry itself tells access tokens by their `typ`, in the header or in a claim.
 */
export function kindRules (
  { isRemote, types, requiredClaims }: Pick<ClaimRules, 'isRemote' | 'types' | 'requiredClaims'>
): readonly Rule[] {
  if (!isRemote) return []
  const isTold = !types.includes('jwt') || Array.isArray(requiredClaims['typ'])
  const ofIdToken = isTold ? [] : ['nonce', 'at_hash', 'c_hash'] // OpenID Connect Core 1.0 §3.3.2.11
  return [
    ...ofIdToken.map((name) => rule(name, `an ID token (claim "${name}"): ${getAccessToken}`, isAbsent)),
    // RFC 9449 §7.1, RFC 8705 §3: the sender must prove that it has the key, which is not checked here.
    rule('cnf', 'a token bound to a key of its sender (claim "cnf", DPoP or mTLS), which is no bearer token', isAbsent)
  ]
}
