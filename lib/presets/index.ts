import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'

/** What every preset takes beside its own: any option of an `issuers` entry, which then wins. `requiredClaims` are added to the preset's, claim by claim. */
type Overrides = Partial<IssuerOptions>

/**
 * The entry of a preset under the host's own options. Claims are added, as a list of the host's instead of the preset's would let ID tokens, or those of
 * other applications, pass in silence.
 */
function entry (preset: Overrides & { jwksUri: string }, { requiredClaims, ...overrides }: Overrides): IssuerOptions {
  const { jwksUri, ...defaults } = preset
  const found = overrides.discovery === true ? {} : { jwksUri }
  // An option that is missing is for its own check to name.
  return { ...defaults, ...found, ...overrides, requiredClaims: { ...preset.requiredClaims, ...requiredClaims } } as IssuerOptions
}

/** Plain JavaScript may leave them out. */
function given<T extends object> (preset: string, options: T | undefined): T {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`${preset}() must be given an object with its options`)
  return options
}

const hostName = /^[a-z\d-]+(\.[a-z\d-]+)*(:\d+)?\/*$/
const anyUrl = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/
const bareOrigin = /^https?:\/\/[^\s/?#@]+\/*$/
const requestOrigin = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/
const guid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const text = /\S/

/** A preset's own option, without the slashes that people put behind a URL. What a missing variable leaves must not become a part of the issuer. */
function read (name: string, value: unknown, form: RegExp, expects: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw new InvalidOptionError(`option "${name}" must be ${expects}`)
  return value.replace(/\/+$/, '')
}

/** The same for one or several, as they are. */
function readAll (name: string, values: string | string[], form: RegExp, expects: string): string | string[] {
  const listed = [values].flat()
  if (listed.length === 0) throw new InvalidOptionError(`option "${name}" must be ${expects}`)
  for (const value of listed) read(name, value, form, expects)
  return values
}

export interface BetterAuthOptions extends Overrides {
  /** Better Auth's own option: where it is reached, such as `https://auth.example.com`. A path in it stands in for `basePath`. */
  baseURL: string
  /** Better Auth's own option. Default `'/api/auth'`. */
  basePath?: string
  /** The access tokens of its OAuth provider plugin instead of those of its jwt() plugin; `audience` is required then. Default false. */
  oauthProvider?: boolean
}

/**
 * Better Auth's jwt() plugin at its defaults: issuer and audience are the origin, keys at `/api/auth/jwks`. The OAuth provider's access tokens have
 * another issuer (the base path too) and say `at+jwt`, which its ID tokens do not.
 */
export function betterAuth (options: BetterAuthOptions): IssuerOptions {
  const { baseURL, basePath = '/api/auth', oauthProvider = false, ...overrides } = given('betterAuth', options)
  const { origin, pathname } = new URL(read('betterAuth.baseURL', baseURL, anyUrl, 'a URL, such as https://auth.example.com'))
  const path = read('betterAuth.basePath', basePath, /^\//, 'a path, such as /api/auth')
  // As Better Auth itself does: a path in its baseURL stands in for basePath.
  const base = origin + (pathname === '/' ? path : pathname.replace(/\/+$/, ''))
  // Those tokens are for the `resource` that the client asked for, which nobody can guess.
  if (oauthProvider && overrides.audience === undefined) throw new InvalidOptionError('option "betterAuth.audience" is missing: state the resource that clients ask the OAuth provider for')
  return entry({
    issuer: oauthProvider ? base : origin,
    audience: origin,
    jwksUri: `${base}/jwks`,
    ...oauthProvider && { typ: 'at+jwt' }
  }, overrides)
}

export interface Auth0Options extends Overrides {
  /** The tenant's or custom domain, such as `tenant.eu.auth0.com`. */
  domain: string
  /** The identifier of the API. */
  audience: string | string[]
}

/**
 * Auth0's access tokens for an API. The issuer ends in a slash; the header says `JWT`, or `at+jwt` in the RFC 9068 profile. ID tokens are for the client
 * and not for the API, so the audience refuses them.
 */
export function auth0 (options: Auth0Options): IssuerOptions {
  const { domain, ...overrides } = given('auth0', options)
  const origin = `https://${read('auth0.domain', domain, hostName, 'a host name in lower case, such as tenant.eu.auth0.com')}`
  return entry({ issuer: `${origin}/`, jwksUri: `${origin}/.well-known/jwks.json`, algorithms: ['RS256', 'PS256'], typ: ['JWT', 'at+jwt'] }, overrides)
}

export interface ClerkOptions extends Overrides {
  /** The Frontend API URL, such as `https://clerk.example.com`. */
  frontendApi: string
  /** Origins of the applications that may call: session tokens have no `aud`, so their `azp` is checked. */
  authorizedParties: string | string[]
}

/**
 * Clerk's session tokens, version 2, of active sessions. Those of JWT templates, of machines and of OAuth applications, made with the same keys, have no
 * `sid` and are refused; so are sessions that are still `pending`.
 */
export function clerk (options: ClerkOptions): IssuerOptions {
  const { frontendApi, authorizedParties, ...overrides } = given('clerk', options)
  const issuer = read('clerk.frontendApi', frontendApi, bareOrigin, 'the Frontend API URL, such as https://clerk.example.com')
  const azp = readAll('clerk.authorizedParties', authorizedParties, requestOrigin, 'an origin without a slash behind, such as https://app.example.com, or a list of them')
  return entry({ issuer, audience: false, jwksUri: `${issuer}/.well-known/jwks.json`, algorithms: ['RS256'], requiredClaims: { azp, sid: true, sts: 'active' } }, overrides)
}

export interface KeycloakOptions extends Overrides {
  /** Where Keycloak is reached, such as `https://sso.example.com`; with `/auth` behind for versions that have it. */
  baseURL: string
  realm: string
  /** The client of the API; an audience mapper puts it into the tokens. */
  audience: string | string[]
}

/** Keycloak's access tokens: `Bearer` in the claim `typ`, where ID, refresh, offline, logout and DPoP-bound tokens say another. The header says `JWT`, or `at+jwt` for clients set so. */
export function keycloak (options: KeycloakOptions): IssuerOptions {
  const { baseURL, realm, ...overrides } = given('keycloak', options)
  const base = read('keycloak.baseURL', baseURL, anyUrl, 'a URL, such as https://sso.example.com')
  const issuer = `${base}/realms/${encodeURIComponent(read('keycloak.realm', realm, text, 'the name of the realm'))}`
  return entry({ issuer, jwksUri: `${issuer}/protocol/openid-connect/certs`, typ: ['JWT', 'at+jwt'], requiredClaims: { typ: 'Bearer' } }, overrides)
}

export interface CognitoOptions extends Overrides {
  region: string
  userPoolId: string
  /** App clients that may call: access tokens have no `aud`, so their `client_id` is checked. */
  clientId: string | string[]
}

/** Amazon Cognito's access tokens: `token_use` tells them from ID tokens. */
export function cognito (options: CognitoOptions): IssuerOptions {
  const { region, userPoolId, clientId, ...overrides } = given('cognito', options)
  read('cognito.region', region, /^[a-z\d-]+$/, 'a region, such as eu-central-1')
  read('cognito.userPoolId', userPoolId, new RegExp(`^${region}_[A-Za-z\\d]+$`), `the ID of a user pool of that region: "${region}_" and letters or digits`)
  const client = readAll('cognito.clientId', clientId, text, 'the ID of an app client, or a list of them')
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`
  return entry({ issuer, audience: false, jwksUri: `${issuer}/.well-known/jwks.json`, algorithms: ['RS256'], requiredClaims: { token_use: 'access', client_id: client } }, overrides)
}

export interface EntraOptions extends Overrides {
  /** The directory (tenant) ID: a GUID, and not a domain, `common` or `organizations`. */
  tenantId: string
  /** The application (client) ID of the API: what v2.0 tokens have for `aud`, whatever the Application ID URI. */
  audience: string | string[]
}

/**
 * Microsoft Entra ID's v2.0 access tokens. `oid` is the user's id in the tenant, where `sub` differs for each application; `scp` stands in the tokens
 * of users alone, not in ID tokens and not in those of applications.
 */
export function entra (options: EntraOptions): IssuerOptions {
  const { tenantId, ...overrides } = given('entra', options)
  const tid = read('entra.tenantId', tenantId, guid, 'the directory (tenant) ID: a GUID in lower case')
  const origin = `https://login.microsoftonline.com/${tid}`
  return entry({
    issuer: `${origin}/v2.0`,
    jwksUri: `${origin}/discovery/v2.0/keys`,
    algorithms: ['RS256'],
    userIdClaim: 'oid',
    requiredClaims: { tid, ver: '2.0', scp: true }
  }, overrides)
}
