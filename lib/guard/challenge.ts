import { detailsOf, type Refusal } from '../contract/errors.js'

const realm = 'Bearer realm="api"'

/**
 * The header fields of a refusal (RFC 6750 §3). They are set on the reply before the error is thrown, so that no error
 * handler can lose them. The values need no escaping: messages are constants, and scope names have no quotes (RFC 6749
 * §3.3).
 */
export function refusalHeaders (refusal: Refusal): Record<string, string> {
  const { code, message, statusCode } = refusal
  const { scope, retryAfter } = detailsOf(refusal)
  const challenge = (error: string) => `${realm}, error="${error}", error_description="${message}"`
  // The client may ask its user for these scopes (RFC 6750 §3.1). Other 403s have no challenge: no consent would help.
  if (scope !== undefined) {
    return { 'www-authenticate': challenge('insufficient_scope') + (scope && `, scope="${scope}"`) }
  }
  if (retryAfter !== undefined) return { 'retry-after': String(retryAfter) }
  if (statusCode !== 401) return {}
  const error = code === 'INVALID_HEADER_FORMAT' ? 'invalid_request' : 'invalid_token'
  // Without a token, the challenge has the scheme and the realm, but no error code.
  return { 'www-authenticate': code === 'MISSING_TOKEN' ? realm : challenge(error), 'cache-control': 'no-store' }
}
