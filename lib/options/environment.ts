import { InvalidOptionError } from '../contract/errors.js'
import { makeOne } from './secret.js'

/**
 * Reads the secrets of the environment, the current one first: `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first, as
 * Better Auth reads it), else `BETTER_AUTH_SECRET`.
 * @param minBytes the hash size of the longest configured algorithm, for the message
 * @throws InvalidOptionError if neither is set or the list is malformed
 */
export function secretsFromEnvironment (
  env: NodeJS.ProcessEnv, minBytes: number
): Array<{ secret: string, name: string }> {
  const list = env.BETTER_AUTH_SECRETS
  if (list) {
    return list.split(',').map((entry, index) => {
      const name = `BETTER_AUTH_SECRETS, entry ${index + 1},`
      const [, secret] = /^\s*\d+:(.*)/s.exec(entry) ?? []
      if (secret === undefined) {
        throw new InvalidOptionError(`${name} is not of the form "<version>:<secret>". ` +
          'Fix: write the newest first, no comma in a secret, without quotes, as in 2:new,1:old')
      }
      return { secret, name }
    })
  }
  const secret = env.BETTER_AUTH_SECRET
  if (secret === undefined) {
    throw new InvalidOptionError('no secret: set the environment variable BETTER_AUTH_SECRET (or give the option ' +
      `"secret"). ${makeOne(minBytes)}. For tokens that are signed with a private key (EdDSA, RS256 and the like) ` +
      'give the option "issuers" instead')
  }
  return [{ secret, name: 'BETTER_AUTH_SECRET' }]
}
