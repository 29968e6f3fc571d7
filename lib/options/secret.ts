import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { InvalidOptionError } from '../contract/errors.js'

const minBytes = 32
const minDifferentCharacters = 8
const mend = 'Make one with: openssl rand -base64 32'

// Anybody can sign with these. Better Auth falls back to the first; the others are the documentation samples of jwt.io
// (of today and before), of RFC 7515, appendix A.1, and RFC 7520, §3.5, and those of Supabase and PostgREST.
const published = new Set([
  'better-auth-secret-12345678901234567890',
  'better-auth-secret-123456789',
  'your-256-bit-secret',
  'your-384-bit-secret',
  'your-512-bit-secret',
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-384-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'reallyreallyreallyreallyverysafe'
])

/** What must not be so, and what to say of it. The first that fits names the fault. */
const faults: Array<[fits: (secret: string) => boolean, says: string]> = [
  [(secret) => secret === '', `is empty. ${mend}`],
  [(secret) => secret.trim() === '', `is blank. ${mend}`],
  [(secret) => secret.trim() !== secret, 'begins or ends with white space, such as the newline of a file. Remove it'],
  [(secret) => /^(["'`]).*\1$/s.test(secret), 'stands in quotes, as in an env file that is read as it is. Remove them'],
  // Whoever knows public material would know the secret, and could sign for anybody (RFC 8725 §2.1 and §3.5).
  [(secret) => readings(secret).some((text) => /-{4,5} ?BEGIN /.test(text)), `is a PEM key or certificate, not a shared secret. ${mend}`],
  [(secret) => readings(secret).some(isJson), `is a JSON document (a JWK or JWKS?), not a shared secret. ${mend}`],
  [(secret) => /(^|\s|")(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)\S* /.test(secret) || secret.startsWith('AAAA'), `is an ssh key, not a shared secret. ${mend}`],
  [(secret) => /^([a-z][a-z\d+.-]*:\/\/|data:|did:)/i.test(secret), `is a URL, not a shared secret. ${mend}`],
  [(secret) => /^(Bearer )?eyJ[\w-]*(\.[\w-]*){2,4}$/i.test(secret), `is a JWT, not the secret that signs one. ${mend}`],
  [isDer, `is a key or certificate (DER in base64), not a shared secret. ${mend}`],
  [(secret) => published.has(secret), `is a published sample that everybody knows. ${mend}`],
  [(secret) => /\$\{\w+.*\}/.test(secret) || /change[-_ ]?(me|this)/i.test(secret), `is a placeholder. ${mend}`],
  [(secret) => Buffer.byteLength(secret) < minBytes, `is shorter than ${minBytes} bytes. ${mend}`],
  [(secret) => new Set(secret).size < minDifferentCharacters, `has fewer than ${minDifferentCharacters} different characters. ${mend}`]
]

function isJson (secret: string): boolean {
  // Read leniently, as a JWK with a comma too many is as public as one without.
  return /^\s*[[{][^]*["']?kty["']?\s*:/.test(secret) || (/^\s*[[{]/.test(secret) && parses(secret))
}

function parses (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A secret as it stands, and what it would be were it an encoded text: keys are often put into variables in base64. */
function readings (secret: string): string[] {
  return [secret, Buffer.from(secret, 'base64').toString(), Buffer.from(secret, 'hex').toString()]
}

/** Asks Node's own parsers, so that a random secret which merely starts like DER is none. */
function isDer (secret: string): boolean {
  return [Buffer.from(secret.replaceAll('\\n', ''), 'base64'), Buffer.from(secret, 'hex')].some(isDerKey)
}

function isDerKey (key: Buffer): boolean {
  const readers = [
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    () => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
    () => createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    () => createPrivateKey({ key, format: 'der', type: 'pkcs1' }),
    () => createPrivateKey({ key, format: 'der', type: 'sec1' }),
    () => new X509Certificate(key)
  ]
  return readers.some((read) => {
    try {
      read()
      return true
    } catch {
      return false
    }
  })
}

/**
 * Refuses a secret that is unfit to sign with. `name` is the option or variable that the host would mend.
 * @throws InvalidOptionError that says what is wrong and never shows the secret
 */
export function assertFitSecret (secret: string, name: string): void {
  const fault = faults.find(([fits]) => fits(secret))
  if (fault) throw new InvalidOptionError(`${name} ${fault[1]}`)
}

/**
 * The secrets of the environment, current one first: `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first, as Better Auth reads
 * it), else `BETTER_AUTH_SECRET`.
 * @throws InvalidOptionError when neither is there, or the list is malformed
 */
export function secretsFromEnvironment (env: NodeJS.ProcessEnv): Array<{ secret: string, name: string }> {
  const list = env.BETTER_AUTH_SECRETS
  if (list) {
    return list.split(',').map((entry, index) => {
      const name = `BETTER_AUTH_SECRETS, entry ${index + 1},`
      const [, secret] = /^\s*\d+:(.*)$/s.exec(entry) ?? []
      if (secret === undefined) throw new InvalidOptionError(`${name} is not of the form "<version>:<secret>". Write newest first, as in BETTER_AUTH_SECRETS="2:new,1:old"`)
      return { secret, name }
    })
  }
  const secret = env.BETTER_AUTH_SECRET
  if (secret === undefined) {
    throw new InvalidOptionError(`no secret: set the environment variable BETTER_AUTH_SECRET (or give the option "secret"). ${mend}`)
  }
  return [{ secret, name: 'BETTER_AUTH_SECRET' }]
}
