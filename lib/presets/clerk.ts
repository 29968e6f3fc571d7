import { Type } from '@sinclair/typebox'
import type { IssuerOptions } from '../contract/issuer.js'
import { text, texts } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { bare, entry, type Overrides } from './preset.js'

export interface ClerkOptions extends Overrides {
  /** The Frontend API URL, such as `https://clerk.example.com`. */
  frontendApi: string
  /** Origins of the applications that may call: session tokens have no `aud`, so their `azp` is checked. */
  authorizedParties: string | string[]
}

const schema = Type.Object({
  frontendApi: text('the Frontend API URL, such as https://clerk.example.com', /^https?:\/\/[^\s/?#@]+\/*$/),
  authorizedParties: texts(
    'an origin without a slash behind, such as https://app.example.com, or a list of them', /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/
  )
})

/**
 * Clerk's session tokens, version 2, of active sessions. Those of JWT templates, of machines and of OAuth applications, made with the same keys, have no
 * `sid` and are refused; so are sessions that are still `pending`.
 */
export function clerk (options: ClerkOptions): IssuerOptions {
  assertValid(schema, options, 'clerk')
  const { frontendApi, authorizedParties: azp, ...overrides } = options
  const issuer = bare(frontendApi)
  return entry({ issuer, audience: false, jwksUri: `${issuer}/.well-known/jwks.json`, algorithms: ['RS256'], requiredClaims: { azp, sid: true, sts: 'active' } }, overrides)
}
