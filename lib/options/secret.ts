import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { InvalidOptionError } from '../contract/errors.js'

const encodings: ReadonlyArray<[form: RegExp, encoding: BufferEncoding]> = [
  [/^[\w+/\s-]+=*$/, 'base64'], [/^[\da-f]+$/i, 'hex']
]

// Hashes of nothing (of a command that failed) and of words that are tried first, also with the newline that echo adds.
const hashed = ['', '\n', 'secret', 'secret\n', 'password', 'password\n', 'test', 'changeme'].flatMap((text) => (
  ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => createHash(name).update(text).digest('hex'))
))
// Everybody knows these, although they look random: the keys of RFC 7515, appendix A.1, and of RFC 7520, §3.5, samples
// of Hasura, FastAPI, NocoDB and others, of UUIDs and of tutorials, and such hashes by MD5, which FIPS mode lacks.
const published = new Set([
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg', '550e8400-e29b-41d4-a716-446655440000',
  '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R', '123e4567-e89b-12d3-a456-426614174000',
  '0f987876650b4a085e64594fae9219e7781b17506bec02489ad061fba8cb22db', 'Yn2kjibddFAWtnPJ2AFlL8WXmohJMCvigQggaEypa5E',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', 'ByYM000OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SNM',
  '6116487b-cda1-52c2-b5b5-c8022c45e263', '16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef',
  '3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b', 'bbe7d157-a253-4094-9759-06a8236543f9',
  'bd1a1ccf8095037f361a4d351e7c0de65f0776bfc2f478ea8d312c763bb6caca', '5ebe2294ecd0e0f08eab7690d2a6ee69',
  'Yh2k7QSu4l8CZg5p6X3Pna9L0Miy4D3Bvt0JVr87UcOj69Kqw5R2Nmf4FWs03Hdx', 'd41d8cd98f00b204e9800998ecf8427e',
  'daf66e01593f61a15b857cf433aae03a005812b31234e149036bcc8dee755dbb', '569a1821-0a93-45e8-87ab-eb857f20a010',
  '======================BezKoder=Spring===========================', '5f4dcc3b5aa765d61d8327deb882cf99'
].map((text) => bytesOf(text).toString('hex')).concat(hashed))
// A widely used generator returns parts of one text, such as "A?D(G+KbPeShVmYp3s6v9y$B&E)H@McQ".
const generated = /[A-C][?&%*][D-F][()*-][G-J][+@-][K-N]/

// A word of `signs` marks a sample, and words of `padding` often stand beside it. The short ones only count as whole
// words, because random characters contain them too often.
const signs = 's[e3][cgk]r[e3]t|geheim|passphrase|p[a@][s$]{2}w|placeholder|replace|change|example|sample|insert|' +
  'default|generate|dummy|insecure|(dev(elopment)?|test(ing)?|use)[-_ ]only|' +
  '(?<![a-z\\d])(your|(jwt|you|not)(?![a-z\\d]))'
const padding = 'token|key|jwt|signing|test|super|very|really|safe|secure|strong|long|random|string|characters|chars|' +
  'bits|bytes|this|that|here|with|must|least|minimum|better|production|application|authentication|auth|!@#[$%^&*()]*'
const sign = new RegExp(signs, 'i')
const sampleWord = new RegExp(`${signs}|${padding}`, 'gi')
const url = /^((?!base64:)[a-z][a-z\d+.-]*:\/\/|(data|did|urn|arn|mailto|file):)/i
// What was not filled in, not decrypted, or not run, and what a command printed instead, such as the page of an error.
const unfilled = /\$\{\w[\w.:/~-]{2,}([-?+=].*)?\}|^#\{.*\}#$|\{\{.*\}\}|^%(?=.*_)\w+%$|^\$\(.*\)$/
const unresolved = /^(encrypted:|ENC[[(]|\$ANSIBLE_VAULT;|@Microsoft\.\w+\(|vault:|!\w+ |process\.env\b|openssl )/
const code = /^(crypto\.\w+|require)\(|^(head|node|pwgen|python3?) -|^<([\w -]*|%.*%|[!?]?[a-z]{3,}[ >][^]*)>$/i
const plainWord = /^([a-zA-Z][a-z]{0,14}|[A-Z]{1,15})[!?]*$/
const repetition = /(.{1,64}?)\1{2,}|(.{3,64}?)([-_./\s]{1,3}\2){2,}/g
const doubling = /(.{8,64}?)\1/g
// Sequences that people type, forwards and backwards.
const lines = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl', 'zxcvbnm']
const steps = lines.flatMap((line) => [...line].slice(1).flatMap((next, index) => (
  [[line.charAt(index), next], [next, line.charAt(index)]]
)))
// Six or more characters such as "abcdef" and "654321", also interleaved, as in "a1b2c3d4e5f6" and "1qaz2wsx3edc".
const sequences = [1, 2, 3, 4].map((turns) => {
  const step = steps.map((pair) => pair.join(`.{${turns - 1}}`)).join('|')
  return new RegExp(`((?=${step}).){${5 * turns},}.{${turns}}`, 'gi')
})

// A secret is strong with this many bytes that are not part of a word of samples, a repetition or a sequence.
const minUnexplained = 16
// A passphrase of random words may contain words of samples, if there are this many other words for each of them.
const [minOtherWords, minWordLength] = [5, 4]

/** How to make a secret for an algorithm, in one line. */
export const makeOne = (minBytes: number) =>
  `Fix: make one with: openssl rand ${minBytes > 48 ? '-hex' : '-base64'} ${minBytes}`

/** Each row has a fault and its message. The first fault that applies is reported. */
function faultsFor (minBytes: number): Array<[fits: (secret: string) => boolean, says: string]> {
  const make = makeOne(minBytes)
  const noSecret = `, not a shared secret. ${make} (tokens that a private key signs: option "issuers")`
  return [
    [(secret) => secret === '', `is empty. ${make}`],
    [(secret) => secret.trim() === '', `is blank. ${make}`],
    // With public material as the secret, everybody could sign tokens for everybody (RFC 8725 §2.1 and §3.5).
    [(secret) => readings(secret).some(isPem), `is a PEM key or certificate${noSecret}`],
    [(secret) => readings(secret).some(isJson), `is a JSON document (a JWK or JWKS?)${noSecret}`],
    [isSshKey, `is an ssh key${noSecret}`],
    [(secret) => url.test(secret), `is a URL${noSecret}`],
    [(secret) => /^(Bearer )?eyJ[\w-]*(\.[\w-]*){2,4}$/i.test(secret), `is a JWT${noSecret}`],
    [isDer, `is a key or certificate (DER in base64)${noSecret}`],
    [(secret) => secret.trim() !== secret, 'begins or ends with white space, as files do. Fix: remove it'],
    [(secret) => /^(([A-Z]{3,}(_[A-Z]{3,})+|[A-Z_]*(SECRET|KEY))=.|Bearer )/.test(secret),
      'begins with a name or a scheme. Fix: give the value alone'],
    [(secret) => /^(["'`]).*\1$/s.test(secret), 'is in quotes, as if an env file were read raw. Fix: remove them'],
    [isPublished, `is a published sample that everybody knows. ${make}`],
    [(secret) => [unfilled, unresolved, code].some((form) => form.test(secret)) || readings(secret).some(isSample),
      `is a placeholder or reads like a published sample. ${make}`],
    [(secret) => Buffer.byteLength(secret) < minBytes,
      `is shorter than ${minBytes} bytes, the least for HS${minBytes * 8}. ${make}`],
    [(secret) => new Set(secret).size < 8, `has fewer than 8 different characters. ${make}`],
    [isGuessable, `is made of repetitions, sequences and words, like a published sample. ${make}`]
  ]
}

/** Removes words of samples, repetitions and sequences from a secret, and returns the parts that are left. */
function unexplained (secret: string): string[] {
  const text = secret.replace(sampleWord, ' ').replace(repetition, '$1$2')
  return sequences.reduce((left, sequence) => left.replace(sequence, ' '), text).split(/[-_./\s]/)
}

const isShort = (parts: string[]) => Buffer.byteLength(parts.join('').replace(doubling, '$1')) < minUnexplained
const isGuessable = (secret: string) =>
  readings(secret).filter(isText).some((text) => isShort(unexplained(text)))

/** False for random bytes. */
const isText = (text: string) => !/\ufffd|[^\P{Cc}\t\n\r]/u.test(text)

/** Whether a secret is a published one in any encoding, or counts up like the bytes of test vectors. */
function isPublished (secret: string): boolean {
  return readings(secret).some((text) => {
    const bytes = bytesOf(text)
    const isCount = bytes.every((byte, index) => index === 0 || byte === Number(bytes[index - 1]) + 1)
    return (isCount && bytes.length >= 16) || published.has(bytes.toString('hex')) || generated.test(text)
  })
}

/** Decodes hex or base64; any other text is returned as its own bytes. */
function bytesOf (text: string): Buffer {
  return decode(text).at(-1) ?? Buffer.from(text)
}

function isSample (secret: string): boolean {
  if (!sign.test(secret)) return false
  const parts = unexplained(secret)
  const otherWords = parts.filter((part) => plainWord.test(part.replace(/\d$/, '')) && part.length >= minWordLength)
  return isShort(parts.filter((part) => !plainWord.test(part))) &&
    new Set(otherWords).size < minOtherWords * [...secret.matchAll(sampleWord)].length
}

const isPem = (text: string) => /-{4,5} ?BEGIN/.test(text)

function isJson (secret: string): boolean {
  // Lenient, because a JWK with a syntax error is just as public.
  return /^\s*[[{][^]*["']?kty["']?\s*:/.test(secret) || succeeds(() => typeof JSON.parse(secret) === 'object')
}

function succeeds (run: () => unknown): boolean {
  try {
    return run() !== false
  } catch {
    return false
  }
}

/** Returns a secret and what it decodes to: keys in environment variables are often in base64. */
const readings = (secret: string): string[] => [secret, ...decode(secret).map((bytes) => bytes.toString())]

/** Decodes base64 and hex. Hex comes last, because it has the form of base64 too. */
export function decode (text: string): Buffer[] {
  // The whole text must match: Node stops at the first other character, and "5b5d…" would become the JSON "[]".
  return encodings.filter(([form]) => form.test(text)).map(([, encoding]) => Buffer.from(text, encoding))
}

/** Recognizes the type in plain text, or in the first field of the base64 blob. */
function isSshKey (secret: string): boolean {
  return /(^|\s|")(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)\S* /.test(secret) ||
    /^\0{3}.(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)/s.test(Buffer.from(secret, 'base64').toString('latin1'))
}

/** Uses the parsers of Node.js, so that a random secret that only starts like DER is no key. */
function isDer (secret: string): boolean {
  return [Buffer.from(secret.replaceAll('\\n', ''), 'base64'), Buffer.from(secret, 'hex')].some(isDerKey)
}

function isDerKey (key: Buffer): boolean {
  // All of them begin with a SEQUENCE. Without this check, each boot would take milliseconds longer.
  if (key[0] !== 0x30) return false
  const readers = [
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    () => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
    () => createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    () => createPrivateKey({ key, format: 'der', type: 'sec1' }),
    () => new X509Certificate(key)
  ]
  return readers.some(succeeds)
}

/**
 * Refuses an unsafe secret.
 * @param name the option or environment variable, for the error
 * @param minBytes the hash size of the longest configured algorithm (RFC 7518 §3.2)
 * @throws InvalidOptionError that explains the fault and never shows the secret
 */
export function assertFitSecret (secret: string, name: string, minBytes: number): void {
  const fault = faultsFor(minBytes).find(([fits]) => fits(secret))
  if (fault) throw new InvalidOptionError(`${name} ${fault[1]}`)
}
