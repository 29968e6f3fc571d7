import type { IssuerOptions } from '../contract/issuer.js'
import { entry, given, read, readAll, text, type Overrides } from './preset.js'

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
