import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'
import { text, texts } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { entry, presetSchema, type Overrides } from './preset.js'

export interface CognitoOptions extends Overrides {
  region: string
  userPoolId: string
  /** App clients that may call: access tokens have no `aud`, so their `client_id` is checked. */
  clientId: string | readonly string[]
}

const userPool = 'the ID of a user pool of that region: the region, "_" and letters or digits'

const schema = presetSchema({
  region: text('a region, such as eu-central-1', /^[a-z]{2,}(-[a-z]+)+-\d+$/),
  userPoolId: text(userPool, /^[a-z\d-]+_[A-Za-z\d]+$/),
  clientId: texts('the ID of an app client, or a list of them', /^[\w+]+$/)
})

/**
 * Amazon Cognito's access tokens: `token_use` tells them from ID tokens.
 * @throws InvalidOptionError where an option is unknown, wrong, or fits no token of the vendor
 */
export function cognito (options: CognitoOptions): IssuerOptions {
  assertValid(schema, options, 'cognito')
  const { region, userPoolId, clientId, ...overrides } = options
  if (!userPoolId.startsWith(`${region}_`)) {
    throw new InvalidOptionError(`option "cognito.userPoolId" must be ${userPool}`)
  }
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`
  return entry('cognito', {
    issuer,
    audience: false,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    algorithms: ['RS256'],
    scopeClaim: 'scope',
    requiredClaims: { token_use: 'access', client_id: clientId }
  }, overrides)
}
