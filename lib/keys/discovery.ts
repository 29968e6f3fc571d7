import type { IssuerSettings } from '../options/issuers.js'
import { insecureReason } from '../options/issuers.js'
import { FetchFault, fetchJson } from './limited-fetch.js'

/**
 * The `jwks_uri` of the issuer's metadata: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3. The issuer that it names must be the configured
 * one, or anybody's metadata could bring anybody's keys (RFC 8414 §3.3).
 */
export async function discoverKeys (settings: IssuerSettings): Promise<string> {
  const { issuer, fetch, timeout, maxBytes, allowInsecureJwks } = settings
  const init = { method: 'GET', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeout) }
  const [openId, oauth] = metadataUrls(issuer)
  const metadata = await fetchJson(fetch, openId, init, maxBytes).catch(() => fetchJson(fetch, oauth, init, maxBytes))
  const { issuer: named, jwks_uri: uri } = (metadata ?? {}) as { issuer?: unknown, jwks_uri?: unknown }
  if (named !== issuer) throw new FetchFault('the metadata is of another issuer')
  if (typeof uri !== 'string') throw new FetchFault('the metadata names no jwks_uri')
  const reason = insecureReason(uri, allowInsecureJwks)
  if (reason) throw new FetchFault(`jwks_uri ${reason}`)
  return uri
}

function metadataUrls (issuer: string): [openId: string, oauth: string] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}
