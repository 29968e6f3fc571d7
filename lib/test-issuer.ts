import { createRemoteIssuer, type RemoteIssuer, type RemoteIssuerOptions } from './remote-issuer.js'
import { createSecretIssuer, type SecretIssuer, type SecretIssuerOptions } from './secret-issuer.js'

/**
 * Signs tokens for tests, and has the options by which the plugin takes them.
 *
 * - With a shared secret, by default: a fresh one each time; tokens come at once.
 * - `mode: 'jwks'`: an issuer on a loopback port, which publishes its keys; it and its tokens come by promises, and it stops with
 *   the test whose context is given as `t`.
 */
export function createIssuer (options?: SecretIssuerOptions): SecretIssuer
export function createIssuer (options: RemoteIssuerOptions): Promise<RemoteIssuer>
export function createIssuer (options: SecretIssuerOptions | RemoteIssuerOptions = {}): SecretIssuer | Promise<RemoteIssuer> {
  return options.mode === 'jwks' ? createRemoteIssuer(options) : createSecretIssuer(options)
}
