export { userScope, userScope as default } from './plugin.js'
export { getOwnerId, getUser, requireScopes } from './guard/request.js'
export { untilRevoked } from './guard/until-revoked.js'
export * from './presets/index.js'
export {
  AccessCheckUnavailableError,
  AlreadyRegisteredError,
  ForbiddenResourceAccessError,
  ForbiddenUserAccessError,
  InsufficientScopeError,
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
  NoOwnerError,
  RevocationsUnavailableError,
  RevocationsUnreachableError,
  TokenExpiredError,
  TokenRevokedError
} from './contract/errors.js'
export type {
  AccessLevel, AccessRule, Delegates, DelegateQuestion, MayActFor, RequiredScopes, ScopeName
} from './contract/access.js'
export type { IssuerAlgorithm, IssuerOptions, IssuerStatus, OtherToken } from './contract/issuer.js'
export type {
  FollowOptions, Revocation, RevocationsOptions, RevocationStore, StoredRevocation
} from './contract/revocations.js'
export type { CacheOptions, OpenApiOptions, SecretAlgorithm, UserScopeOptions } from './contract/options.js'
export type { ErrorClass, RefusalCode } from './contract/errors.js'
export type {
  Actor,
  Claims,
  DeepReadonly,
  RegisteredClaims,
  ScopedRoute,
  UserScope,
  UserScopeTypes,
  VerifiedUser,
  VerifyMessage
} from './contract/types.js'
