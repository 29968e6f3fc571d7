import { retryAfterOf, scopeOf, type Refusal, type RefusalCode } from '../contract/errors.js'

const realm = 'Bearer realm="api"'

/**
 * The `WWW-Authenticate` value of a 401 (RFC 6750 §3): the scheme alone when no token came, an error code of §3.1 and
 * the client's message otherwise. Messages are constants without quotes, so nothing from the request reaches the
 * header.
 */
export function challenge ({ code, message }: { code: RefusalCode, message: string }): string {
  if (code === 'MISSING_TOKEN') return realm
  const error = code === 'INVALID_HEADER_FORMAT' ? 'invalid_request' : 'invalid_token'
  return `${realm}, error="${error}", error_description="${message}"`
}

/** Names of scopes have no quotes, and an empty list has no place there (RFC 6749 §3.3). */
const insufficientScope = ({ message }: Refusal, scope: string) =>
  `${realm}, error="insufficient_scope", error_description="${message}"${scope && `, scope="${scope}"`}`

/**
 * The header fields of a refusal, set on the reply before the error is thrown so that no error handler can lose them.
 */
export function refusalHeaders (refusal: Refusal): Record<string, string> {
  const scope = scopeOf(refusal)
  // What a client may ask its user for (RFC 6750 §3.1). No consent would cure a 403 of another code.
  if (scope !== undefined) return { 'www-authenticate': insufficientScope(refusal, scope) }
  if (refusal.statusCode === 401) return { 'www-authenticate': challenge(refusal), 'cache-control': 'no-store' }
  const retryAfter = retryAfterOf(refusal)
  return retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
}
