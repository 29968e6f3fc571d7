import { quote } from '../contract/quote.js'
import { insecureReason, type IssuerSettings } from '../options/issuers.js'
import { failureOf, FetchFault, fetchJson } from './limited-fetch.js'

/**
 * Returns the `jwks_uri` of the issuer's metadata (OpenID Connect Discovery 1.0 §4, else RFC 8414 §3). The metadata
 * must name the configured issuer: otherwise another issuer could supply its own keys (RFC 8414 §3.3).
 */
export async function discoverKeys (settings: IssuerSettings): Promise<string> {
  const signal = AbortSignal.timeout(settings.timeout)
  const { origin, pathname } = new URL(settings.issuer)
  const path = pathname.replace(/\/$/, '')
  const openId = `${origin}${path}/.well-known/openid-configuration`
  const oauth = `${origin}/.well-known/oauth-authorization-server${path}`
  const metadata = await fetchJson(settings, openId, signal).catch((error: unknown) => {
    if (signal.aborted) throw error
    return fetchJson(settings, oauth, signal).catch((other: unknown) => {
      throw new FetchFault(`${failureOf(error)} at ${openId}, and ${failureOf(other)}`)
    })
  })
  const { issuer, jwks_uri: uri } = (metadata ?? {}) as { issuer?: unknown, jwks_uri?: unknown }
  if (issuer !== settings.issuer) {
    throw new FetchFault(`the metadata is of another issuer: its "issuer" is ${quote(issuer)} (if it is yours, ` +
      'option "issuer" must be the same to the letter)')
  }
  if (typeof uri !== 'string') throw new FetchFault('the metadata names no jwks_uri')
  const reason = insecureReason(uri, settings.allowInsecureJwks)
  if (reason) throw new FetchFault(`jwks_uri ${reason}`)
  return uri
}
