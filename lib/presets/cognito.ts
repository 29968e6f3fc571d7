import { text, texts } from '../options/schemas.js'
import { preset, type Overrides } from './preset.js'

export interface CognitoOptions extends Overrides {
  region: string
  userPoolId: string
  /** The app clients that may call. Access tokens have no `aud`, so their `client_id` is checked. */
  clientId: string | readonly string[]
}

const userPool = 'the ID of a user pool of that region: the region, "_" and letters or digits'

/**
 * Amazon Cognito's access tokens. The claim `token_use` distinguishes them from ID tokens.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const cognito = preset<CognitoOptions>('cognito', {
  region: text('a region, such as eu-central-1', /^[a-z]{2,}(-[a-z]+)+-\d+$/),
  userPoolId: text(userPool, /^[a-z\d-]+_[A-Za-z\d]+$/),
  clientId: texts('the ID of an app client, or a list of them', /^[\w+]+$/)
}, ({ region, userPoolId, clientId }, fail) => {
  if (!userPoolId.startsWith(`${region}_`)) fail('userPoolId', `must be ${userPool}`)
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`
  return {
    issuer,
    audience: false,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    algorithms: ['RS256'],
    scopeClaim: 'scope',
    requiredClaims: { token_use: 'access', client_id: clientId }
  }
})
