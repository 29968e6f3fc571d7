// A vendor has a file of its own, which makes it with `preset()` of preset.ts, and a line here. CONTRIBUTING.md lists
// all steps.
export { auth0, type Auth0Options } from './auth0.js'
export { betterAuth, type BetterAuthOptions } from './better-auth.js'
export { clerk, type ClerkOptions } from './clerk.js'
export { cognito, type CognitoOptions } from './cognito.js'
export { entra, type EntraOptions } from './entra.js'
export { keycloak, type KeycloakOptions } from './keycloak.js'
export { logto, type LogtoOptions } from './logto.js'
export { okta, type OktaOptions } from './okta.js'
export { supabase, type SupabaseOptions } from './supabase.js'
