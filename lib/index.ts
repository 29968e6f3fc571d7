export { userScope, userScope as default } from './plugin.js'
export { getUser } from './guard.js'
export {
  AlreadyRegisteredError,
  ForbiddenUserAccessError,
  InvalidClaimsError,
  InvalidHeaderFormatError,
  InvalidOptionError,
  InvalidRouteError,
  InvalidTokenSignatureError,
  MalformedTokenError,
  MissingTokenError,
  MissingUidClaimError,
  TokenExpiredError
} from './errors.js'
export type { RefusalCode } from './errors.js'
export type {
  AccessLevel,
  Claims,
  DeepReadonly,
  OpenApiOptions,
  RegisteredClaims,
  ScopedRoute,
  SecretAlgorithm,
  UserScope,
  UserScopeOptions,
  UserScopeTypes,
  VerifiedUser
} from './types.js'
