export { userScope, userScope as default } from './plugin.js'
export { getUser } from './guard/guard.js'
export { untilRevoked } from './guard/until-revoked.js'
export { auth0, betterAuth, clerk, cognito, entra, keycloak } from './presets/index.js'
export {
  AlreadyRegisteredError,
  ForbiddenResourceAccessError,
  ForbiddenUserAccessError,
  InvalidClaimsError,
  InvalidHeaderFormatError,
  InvalidOptionError,
  InvalidRouteError,
  InvalidTokenSignatureError,
  KeysUnavailableError,
  KeysUnreachableError,
  MalformedTokenError,
  MissingTokenError,
  MissingUidClaimError,
  RevocationsUnavailableError,
  RevocationsUnreachableError,
  TokenExpiredError,
  TokenRevokedError
} from './contract/errors.js'
export type { IssuerAlgorithm, IssuerOptions, IssuerStatus, OtherToken } from './contract/issuer.js'
export type {
  FollowOptions, Revocation, RevocationsOptions, RevocationStore, StoredRevocation
} from './contract/revocations.js'
export type { RefusalCode } from './contract/errors.js'
export type {
  Auth0Options, BetterAuthOptions, ClerkOptions, CognitoOptions, EntraOptions, KeycloakOptions
} from './presets/index.js'
export type {
  AccessLevel,
  CacheOptions,
  Claims,
  DeepReadonly,
  OpenApiOptions,
  RegisteredClaims,
  ScopedRoute,
  SecretAlgorithm,
  UserScope,
  UserScopeOptions,
  UserScopeTypes,
  VerifiedUser,
  VerifyMessage
} from './contract/types.js'
