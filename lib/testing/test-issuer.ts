import { assertOptions, named } from './settings.js'
import { createRemoteIssuer, remoteOptions, type RemoteIssuer, type RemoteIssuerOptions } from './remote-issuer.js'
import { createSecretIssuer, secretOptions, type SecretIssuer, type SecretIssuerOptions } from './secret-issuer.js'

/**
 * Signs tokens for tests, and has the options by which the plugin takes them.
 * - With a shared secret, by default: a fresh one each time; tokens come at once.
 * - `mode: 'jwks'`: an issuer on a loopback port, which publishes its keys; it and its tokens come by promises, and it
 *   stops with the test whose context is given as `t`.
 * @throws TypeError where the mode has no such option, or `secret` is there and undefined; RangeError where `keys` is
 * empty
 */
export function createIssuer (options?: SecretIssuerOptions): SecretIssuer
export function createIssuer (options: RemoteIssuerOptions): Promise<RemoteIssuer>
export function createIssuer (options: SecretIssuerOptions | RemoteIssuerOptions = {}) {
  const mode: unknown = options?.mode ?? 'secret'
  if (mode !== 'secret' && mode !== 'jwks') {
    throw new TypeError(`createIssuer has no mode "${String(mode)}": it has 'secret', the default, and 'jwks'`)
  }
  assertOptions(named(...mode === 'jwks' ? remoteOptions : secretOptions), options, `createIssuer({ mode: '${mode}' })`)
  return options.mode === 'jwks' ? createRemoteIssuer(options) : createSecretIssuer(options)
}
