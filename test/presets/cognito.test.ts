import { cognito } from '../../lib/index.js'
import { now } from '../support/host.js'
import { api, missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

testVendor('Amazon Cognito', {
  preset: (overrides) => cognito({
    region: 'eu-central-1',
    userPoolId: 'eu-central-1_KkrQqZ3v8',
    clientId: ['web', 'crawler'],
    ...overrides
  }),
  alg: 'RS256',
  algorithms: ['RS256'],
  id: 'c00c29ac-d0f1-7015-3677-2050463f38a6',
  header: {},
  claims: {
    aud: undefined,
    client_id: 'web',
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    username: 'alice',
    'cognito:groups': ['admins'],
    auth_time: now(),
    iat: now(),
    jti: 'j',
    origin_jti: 'o',
    event_id: 'e',
    version: 2
  },
  accepted: { 'bound to a resource': { claims: { aud: api } } },
  refused: {
    'an ID token': {
      claims: {
        aud: 'web',
        client_id: undefined,
        token_use: 'id',
        at_hash: 'h',
        'cognito:username': 'alice',
        username: undefined
      }
    },
    'an ID token that was given a client_id': { claims: { aud: 'web', token_use: 'id' } },
    'of another app client': { claims: { client_id: 'other' } },
    'without client_id': { claims: { client_id: undefined, aud: 'web' } },
    'without token_use': { claims: { token_use: undefined } },
    'of another user pool': {
      claims: { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aaaaaaaaa' }
    },
    'of an identity pool': { claims: { iss: 'https://cognito-identity.amazonaws.com' } }
  },
  machines: {
    'client credentials': {
      id: 'crawler',
      claims: {
        client_id: 'crawler',
        scope: 'tasks/read',
        username: undefined,
        'cognito:groups': undefined,
        origin_jti: undefined
      }
    }
  }
})

testBootErrors([
  [
    () => cognito({ region: missing, userPoolId: 'eu-central-1_a', clientId: 'web' }),
    'option "cognito.region" must be a region, such as eu-central-1'
  ],
  [
    () => cognito({ region: 'eu-central-1', userPoolId: missing, clientId: 'web' }),
    'option "cognito.userPoolId" must be the ID of a user pool of that region: the region, "_" and letters or digits'
  ],
  [
    () => cognito({ region: 'eu-west-1', userPoolId: 'eu-central-1_a', clientId: 'web' }),
    'option "cognito.userPoolId" must be the ID of a user pool of that region: the region, "_" and letters or digits'
  ],
  [
    () => cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_a', clientId: missing }),
    'option "cognito.clientId" must be the ID of an app client, or a list of them'
  ],
  [
    () => cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_a', clientId: ['web', ''] }),
    'option "cognito.clientId"'
  ]
])

testValues(cognito, { region: 'eu-central-1', userPoolId: 'eu-central-1_KkrQqZ3v8', clientId: 'web' }, {
  clientId: ['1example23456789', 'a+b', ['web', 'crawler']],
  audience: ['https://api.example.com']
}, {
  region: [' eu-central-1', 'eu-central-1a', 'EU-CENTRAL-1', 'eu_central_1', 'eu-central', '', null],
  userPoolId: [
    'KkrQqZ3v8', 'us-east-1_KkrQqZ3v8', 'eu-central-10_KkrQqZ3v8', 'eu-central-1', 'eu-central-1_', 'eu-central-1_a-b',
    'eu-central-1:guid', ' eu-central-1_a', 'eu-central-1_/eu-central-1_a', null
  ],
  clientId: ['', ' web', 'web ', 'https://app.example.com', 'a b', null, []],
  issuer: ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_KkrQqZ3v8/']
})

testPlaces([
  [
    cognito({ region: 'us-gov-west-1', userPoolId: 'us-gov-west-1_Ab1', clientId: 'c' }),
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Ab1',
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Ab1/.well-known/jwks.json'
  ],
  [
    cognito({ region: 'us-east-1', userPoolId: 'us-east-1_Ab1', clientId: 'c' }),
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1/.well-known/jwks.json'
  ],
  [
    cognito({ region: 'us-east-10', userPoolId: 'us-east-10_Ab1', clientId: 'c' }),
    'https://cognito-idp.us-east-10.amazonaws.com/us-east-10_Ab1',
    'https://cognito-idp.us-east-10.amazonaws.com/us-east-10_Ab1/.well-known/jwks.json'
  ]
])
