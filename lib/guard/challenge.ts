import { detailsOf, type Refusal } from '../contract/errors.js'

const realm = 'Bearer realm="api"'

/**
 * The header fields of a refusal (RFC 6750 §3), set on the reply before the error is thrown so that no error handler
 * can lose them. Messages are constants, and neither they nor names of scopes have quotes (RFC 6749 §3.3).
 */
export function refusalHeaders (refusal: Refusal): Record<string, string> {
  const { code, message, statusCode } = refusal
  const { scope, retryAfter } = detailsOf(refusal)
  const challenge = (error: string) => `${realm}, error="${error}", error_description="${message}"`
  // What a client may ask its user for (RFC 6750 §3.1). No consent would cure a 403 of another code.
  if (scope !== undefined) {
    return { 'www-authenticate': challenge('insufficient_scope') + (scope && `, scope="${scope}"`) }
  }
  if (retryAfter !== undefined) return { 'retry-after': String(retryAfter) }
  if (statusCode !== 401) return {}
  const error = code === 'INVALID_HEADER_FORMAT' ? 'invalid_request' : 'invalid_token'
  // A request without any authentication gets the scheme alone.
  return { 'www-authenticate': code === 'MISSING_TOKEN' ? realm : challenge(error), 'cache-control': 'no-store' }
}
