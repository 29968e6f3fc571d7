import { createHash, generateKeyPairSync, randomBytes, randomInt, randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { InvalidOptionError, type UserScopeOptions } from '../../lib/index.js'
import { assertFitSecret } from '../../lib/options/secret.js'
import { boot, signedWith } from '../support/environment.js'
import { bearer, longSecret, otherSecret, secret, sender, tokenFor } from '../support/host.js'

const fix = /Fix: make one with: openssl rand -base64 32/

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const jwk = ec.publicKey.export({ format: 'jwk' })
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })

// Of an Ed25519 key, in DER.
const certificate = 'MIHSMIGFAhRZQesxftXitO5PGIEOb/v8uCEjrTAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNjExMjYwMTMwMTJaFw0yNjEx' +
  'MjcwMTMwMTJaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQAvE2jw50+ETxuf4pnApxD829NhWohHCRQoeLyRoBL98TAFBgMr' +
  'ZXADQQD4372gfMzntsATb1/zBsA5bKzaNTwuma3v0k51LmwAy0tdd67r1uRJrfvKPWV7I/MLJqzuNGg3smCFKjzcU6wC'

const unfit: Array<[what: string, secret: string, says: RegExp]> = [
  ['empty', '', /is empty/],
  ['blank', ' '.repeat(40), /is blank/],
  ['one character', 'Z', /shorter than 32 bytes/],
  ['three characters', 'Zq7', /shorter than 32 bytes/],
  ['31 bytes', 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0e', /shorter than 32 bytes/],
  ['a key from a file', '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n',
    /is a PEM key.*option "issuers"\)$/],
  ['the newline of a file', `${secret}\n`, /begins or ends with white space/],
  ['a space in front', ` ${secret}`, /begins or ends with white space/],
  ['double quotes', `"${secret}"`, /in quotes/],
  ['quotes around two lines', `"${secret}\n${secret}"`, /in quotes/],
  ['single quotes', `'${secret}'`, /in quotes/],
  ['backticks', `\`${secret}\``, /in quotes/],
  ['a PEM public key', pem.toString().trim(), /PEM key/],
  ['PEM on one line', pem.toString().trim().replaceAll('\n', '\\n'), /PEM key/],
  ['a JWK', JSON.stringify(jwk), /JSON document/],
  ['a JWKS', JSON.stringify({ keys: [rsa.publicKey.export({ format: 'jwk' })] }), /JSON document/],
  ['a list of JWKs', JSON.stringify([rsa.publicKey.export({ format: 'jwk' })]), /JSON document/],
  ['an ssh key',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0kq3Ql3n8v0h2m1yTq6cR6j5v1o9cKQb0y7x8w9z1a alice@example.org', /ssh key/],
  ['an ssh key on ECDSA', 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBM', /ssh key/],
  ['a URL in capitals', 'HTTPS://AUTH.EXAMPLE.COM/API/AUTH/JWKS', /is a URL/],
  ['a URL of two schemes', 'git+https://git.acme.test/keys?x=1234567890', /is a URL/],
  ['a URL', 'https://auth.example.com/api/auth/jwks?x=1234567890', /is a URL/],
  ['a DID', 'did:web:keys.acme.test:Zk9vq1tYw3pLx7sB2nD5', /is a URL/],
  ['a URN', 'urn:example:keys:Zk9vq1tYw3pLx7sB2nD5hGfR8m', /is a URL/],
  ['the name of a secret in a vault', 'arn:aws:secretsmanager:eu-central-1:111122223333:auth-4kT9', /is a URL/],
  ['a JWT', tokenFor('alice'), /is a JWT/],
  ['SPKI of RSA', rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), /DER in base64/],
  ['PKCS#1 of RSA', rsa.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64'), /DER in base64/],
  ['SPKI of EC', ec.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), /DER in base64/],
  ['SPKI of Ed25519', ed.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), /DER in base64/],
  ['a certificate', certificate, /DER in base64/],
  ['SPKI in base64url', ed.publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'), /DER in base64/],
  ['PKCS#8', ed.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'), /DER in base64/],
  ['PKCS#1, private', rsa.privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64'), /DER in base64/],
  ['SEC 1', ec.privateKey.export({ type: 'sec1', format: 'der' }).toString('base64'), /DER in base64/],
  ['a PEM in percent-encoding', encodeURIComponent(pem.toString()), /PEM key/],
  ['a PEM with + for spaces', pem.toString().trim().replaceAll(' ', '+'), /PEM key/],
  ['a PEM with _ for spaces', pem.toString().trim().replaceAll(' ', '_'), /PEM key/],
  ['a PEM without white space', pem.toString().replaceAll(/\s/g, ''), /PEM key/],
  ['base64 of a PEM', Buffer.from(pem).toString('base64'), /PEM key/],
  ['hex of a PEM', Buffer.from(pem).toString('hex'), /PEM key/],
  ['hex of a PEM in capitals', Buffer.from(pem).toString('hex').toUpperCase(), /PEM key/],
  ['base64 of a JWK', Buffer.from(JSON.stringify(jwk)).toString('base64'), /JSON document/],
  ['base64url of a JWKS', Buffer.from(JSON.stringify({ keys: [jwk] })).toString('base64url'), /JSON document/],
  ['a JWK with a comma too many', JSON.stringify(jwk).replace('}', ',}'), /JSON document/],
  ['a JWK out of order, with a comma too many', '{"crv":"P-256","x":"1","kty":"EC",}', /JSON document/],
  ['a JWK with spaces, out of order and with a comma too many', '\n{ "crv": "P-256", "kty" : "EC", }', /JSON document/],
  ['a JWK in single quotes', "{'crv':'P-256','kty':'EC'}", /JSON document/],
  ['a JWK without quotes', '{crv: P-256, kty: EC}', /JSON document/],
  ['a list of JWKs with a comma too many', `[${JSON.stringify(jwk)},]`, /JSON document/],
  ['base64 of a JWK, in lines', Buffer.from(JSON.stringify(jwk)).toString('base64').replaceAll(/.{64}/g, '$&\n'),
    /JSON document/],
  ['a JSON document that is no key', `{"a":"${secret}"}`, /JSON document/],
  ['hex of SPKI', ec.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'), /DER in base64/],
  ['a PEM body on one line', pem.toString().split('\n').slice(1, -2).join('\\n'), /DER in base64/],
  ['an ssh key without its type', 'AAAAC3NzaC1lZDI1NTE5AAAAIJ0kq3Ql3n8v0h2m1yTq6cR6j5v1o9cKQb0y7x8w9z1a', /ssh key/],
  ['an ssh key without its type, whose length is the byte of a line break',
    Buffer.from(`\0\0\0\rssh-falcon512\0\0\x03\x81${secret}`).toString('base64'), /ssh key/],
  ['an ssh key with options',
    'restrict,command="x" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0kq3Ql3n8v0h2m1yTq6cR6j5v1o9', /ssh key/],
  ['an ssh key after a quote', '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0kq3Ql3n8v0h2m1yTq6cR6j5v1o9', /ssh key/],
  ['an ssh key on a security key', 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t', /ssh key/],
  ['an ssh key on a security key with ECDSA',
    'sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20', /ssh key/],
  ...['ssh-rsa', 'ecdsa-sha2-nistp256', 'sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'].map(
    (type): typeof unfit[number] => [
      `an ssh key without its type, ${type}`,
      Buffer.from(`\0\0\0${String.fromCharCode(type.length)}${type}\0\0\0\x20${secret}`).toString('base64'), /ssh key/
    ]
  ),
  ['an ssh key of RFC 4716', '---- BEGIN SSH2 PUBLIC KEY ---- AAAAC3NzaC1lZDI1NTE5', /PEM key/],
  ['a data URL', 'data:application/json;base64,eyJrZXlzIjpbXX0xyz12345', /is a URL/],
  ['a JWT with its scheme', `Bearer ${tokenFor('alice')}`, /is a JWT/],
  ['a JWT with its scheme in small letters', `bearer ${tokenFor('alice')}`, /is a JWT/],
  ['a JWE', 'eyJhbGciOiJkaXIifQ..aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb.cccccccc', /is a JWT/],
  ['a placeholder', '$' + '{BETTER_AUTH_SECRET:-0123456789abcdef}', /is a placeholder/],
  ['change me', 'change-me-in-production-0123456789', /is a placeholder/],
  ["Supabase's default", 'super-secret-jwt-token-with-at-least-32-characters-long', /published sample/],
  ["PostgREST's sample", 'reallyreallyreallyreallyverysafe', /published sample/],
  ['the key of RFC 7520', 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg', /published sample/],
  ["Better Auth's default", 'better-auth-secret-12345678901234567890', /published sample/],
  ['a sample of jwt.io, 256 bits', 'your-256-bit-secret', /published sample/],
  ['a sample of jwt.io, 384 bits', 'your-384-bit-secret', /published sample/],
  ['a sample of jwt.io, 512 bits', 'your-512-bit-secret', /published sample/],
  ['a longer one', 'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long', /published sample/],
  ['a sample of jwt.io', 'a-string-secret-at-least-256-bits-long', /published sample/],
  ["Hasura's sample", '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R', /published sample/],
  ["Nhost's sample", '0f987876650b4a085e64594fae9219e7781b17506bec02489ad061fba8cb22db', /published sample/],
  ['the key of RFC 7515, A.1',
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', /published sample/],
  ['the same in base64',
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==', /published sample/],
  ["FastAPI's sample", '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', /published sample/],
  ['the same in capitals', '09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7', /published sample/],
  ['a sample of tutorials', '3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b', /published sample/],
  ['a sample for Spring', '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970', /published sample/],
  ['a sample for Spring in small letters',
    '413f4428472b4b6250655368566d5970337336763979244226452948404d6351', /published sample/],
  ['a sample for Spring, decoded', '5u8x/A?D(G+KbPeShVmYp3s6v9y$B&E)', /published sample/],
  ['the key of RFC 7515, A.1, in hex',
    Buffer.from('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', 'base64')
      .toString('hex'), /published sample/],
  ["FastAPI's sample in base64", Buffer.from('09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', 'hex')
    .toString('base64'), /published sample/],
  ["FastAPI's sample, encoded once more",
    Buffer.from('09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7').toString('base64'),
    /published sample/],
  ['the bytes from 1 to 64', Buffer.from([...Array(64).keys()].map((n) => n + 1)).toString('hex'), /published sample/],
  ['the bytes from 0 to 31 in base64', Buffer.from([...Array(32).keys()]).toString('base64'), /published sample/],
  ['the bytes from 0 to 15 in hex', '000102030405060708090a0b0c0d0e0f', /published sample that everybody knows/],
  ['the bytes from 0 to 31 in hex', Buffer.from([...Array(32).keys()]).toString('hex'), /published sample/],
  ['an address for mail', 'mailto:someone-abcqw12@host-domain.org', /is a URL/],
  ['7 different characters', 'abcdefg'.repeat(6), /fewer than 8 different/]
]

for (const [what, value, says] of unfit) {
  t.test(`unfit as a secret: ${what}`, async (t) => {
    for (const [place, env, options, name] of [
      ['option', {}, { secret: value }, 'option "secret"'],
      ['second of the list', {}, { secret: [secret, value] }, 'option "secret", entry 2,'],
      ['variable', { BETTER_AUTH_SECRET: value }, {}, 'BETTER_AUTH_SECRET'],
      ['list of variables', { BETTER_AUTH_SECRETS: `2:${secret},1:${value}` }, {}, 'BETTER_AUTH_SECRETS, entry 2,']
    ] as const) {
      if (place === 'list of variables' && value.includes(',')) continue // a comma ends the entry
      const error = await boot(t, env, options as UserScopeOptions).then(() => null, (error: Error) => error)
      t.ok(error instanceof InvalidOptionError, place)
      t.match(error, { code: 'FST_USER_SCOPE_INVALID_OPTION', message: says })
      t.ok(error?.message.startsWith(`fastify-user-scope: ${name} `), `${place} is named: ${error?.message}`)
      t.notOk(value.trim() && error?.message.includes(value.trim()), 'the secret is not shown')
    }
  })
}

t.test('the error says how to make a good secret', async (t) => {
  await t.rejects(boot(t, { BETTER_AUTH_SECRET: 'short' }), { message: fix })
  await t.rejects(boot(t, {}), { message: fix })
})

t.test('good secrets are accepted', async (t) => {
  const cases = {
    '32 bytes': 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF',
    '32 bytes in fewer characters': 'äöüßéèêëñçàùœæøå',
    'a quote at one end': `"${secret}`,
    'a quote in the middle and one at the start': `"${secret}"${secret}`,
    'a quote in the middle and one at the end': `${secret}"${secret}"`,
    'a URL within': `${secret}/https://${secret}`,
    'a JWT within': `${secret}eyJhbGciOi.eyJzdWIiOi.c2ln`,
    'the start of a JWT': `eyJhbGciOi.eyJzdWIiOi.c2ln/${secret}`,
    'the name of a key type within': `${secret}[kty:`,
    'angle brackets at one end': `<abc>${secret}`,
    'angle brackets at the other end': `${secret}<abc>`,
    'a brace in front': `{${secret}`,
    'between the signs of a variable on Windows': '%VhyOYG3RbSSWY4VL8aBBeV6pqu5Kub%',
    'a part of a sample of a generator': `B?E(H${unexplained}${unexplained}`,
    'openssl rand -base64 32': randomBytes(32).toString('base64'),
    'base64 of bytes that start like DER':
      Buffer.concat([Buffer.from([0x30, 0x2a, 0x30, 0x05]), randomBytes(40)]).toString('base64'),
    'openssl rand -hex 32': randomBytes(32).toString('hex')
  }
  for (const [what, value] of Object.entries(cases)) {
    const statusFor = await boot(t, { BETTER_AUTH_SECRET: value })
    t.equal(await statusFor(value), 200, what)
  }
})

/** What is wrong with a secret for HS256, or null. Asked directly: the cases are many. */
function faultOf (secret: string, minBytes = 32): string | null {
  try {
    assertFitSecret(secret, 'option "secret"', minBytes)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const sample = /is a placeholder or reads like a published sample\. Fix: make one/
const guessable = /is made of repetitions, sequences and words, like a published sample\. Fix: make one/
const unexplained = 'Zk9vq1tYw3pLx7sB' // 16 bytes

const lines = ['abcdefghijklmnopqrstuvwxyz', '1234567890', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl', 'zxcvbnm']

const paddingWords = [
  ...['token', 'key', 'signing', 'test', 'super', 'very', 'really', 'safe', 'secure', 'strong', 'long'],
  ...['random', 'string', 'characters', 'chars', 'bits', 'bytes', 'this', 'that', 'here', 'with', 'must', 'least'],
  ...['minimum', 'better', 'production', 'application', 'authentication', 'auth']
]

const judgedByForm: Array<[says: RegExp, secrets: string[]]> = [
  [sample, [
    '$(</run/keys/better-auth-of-production)', '$( cat /run/keys/better-auth-of-production )',
    '$(VAULT_ADDR=https://vault.shop vault read -field=value kv/auth)', '$(BETTER_AUTH_SIGNING_KEY_PRODUCTION)',
    '$(openssl rand -base64 32)', '$(head -c 32 /dev/urandom | base64)', `encrypted:BDqD${unexplained}${unexplained}`,
    `ENC[AES256_GCM,data:${unexplained},iv:x]`, `ENC(${unexplained}${unexplained})`,
    `$ANSIBLE_VAULT;1.1;${unexplained}`,
    `@Microsoft.KeyVault(SecretUri=https://${unexplained}.vault.azure.net/x/)`, `vault:kv/data/${unexplained}#AUTH`,
    '$' + '{process.env.BETTER_AUTH_KEY_PRODUCTION}', '$' + '{ssm:/production/better-auth-key~true}',
    '#{BETTER_AUTH_KEY_PRODUCTION_MAIN_APP}#', '!Ref BetterAuthSigningKeyParameterProduction',
    'process.env.BETTER_AUTH_SIGNING_KEY_PRODUCTION', 'openssl rand -base64 32 # run this and paste it here',
    'dummy-key-for-ci-builds-not-used-anywhere',
    'insecure-key-for-local-development-only', 'insecure-key-of-our-shop-in-town',
    'dummy-for-ci-builds-of-our-shop-in-town', 'for-internal-use-only-of-our-shop-town',
    'Change-This-Secret-Before-Deploying-Town',
    '$' + '{BETTER_AUTH_KEY_PRODUCTION:?set it in the vault}', '$' + `{KEY}${unexplained}${unexplained}`,
    '<pre>Cannot GET /better-auth-key</pre>',
    // Code and commands that were not run, and pages and values that a command printed instead of the secret.
    "crypto.randomBytes(64).toString('hex')", "require('crypto').randomBytes(64).toString('hex')",
    'head -c 32 /dev/urandom | base64', 'python3 -c "import os; print(os.urandom(32).hex())"',
    'node -p "crypto.randomBytes(32).toString(`hex`)"',
    'pwgen -s 64 1 # run this on the server', '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>',
    '<!DOCTYPE html><title>Error</title><pre>Cannot GET /key</pre>', '<html><body><h1>Forbidden</h1></body></html>',
    `<Buffer ${randomBytes(50).toString('hex').match(/../g)?.join(' ')} ... 14 more bytes>`,
    `%BETTER_AUTH_${unexplained}_FROM_ENV%`, `<%= ENV["${unexplained}"] || ${unexplained} %>`
  ]],
  [/is a published sample/, [
    '======================BezKoder=Spring===========================',
    'Yh2k7QSu4l8CZg5p6X3Pna9L0Miy4D3Bvt0JVr87UcOj69Kqw5R2Nmf4FWs03Hdx',
    'bd1a1ccf8095037f361a4d351e7c0de65f0776bfc2f478ea8d312c763bb6caca', '550e8400-e29b-41d4-a716-446655440000',
    '6116487b-cda1-52c2-b5b5-c8022c45e263', '16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef',
    '123e4567-e89b-12d3-a456-426614174000', `A%D*G-KaPdSgVkYp${unexplained}`, `C&F)J@NcQfTjWnZr${unexplained}`,
    `B*E-H@McQeThVmYq${unexplained}`,
    // Of NocoDB, Centrifugo, JJWT and tutorials.
    '569a1821-0a93-45e8-87ab-eb857f20a010', 'bbe7d157-a253-4094-9759-06a8236543f9',
    'Yn2kjibddFAWtnPJ2AFlL8WXmohJMCvigQggaEypa5E=',
    'daf66e01593f61a15b857cf433aae03a005812b31234e149036bcc8dee755dbb',
    'ByYM000OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SNM',
    // Hashes of nothing (a command that failed) and of words that everybody tries first, also with the newline of echo.
    ...['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].flatMap((algorithm) => (
      ['', 'secret', 'password'].map((word) => createHash(algorithm).update(word).digest('hex'))
    )),
    ...['\n', 'secret\n', 'test', 'changeme', 'password\n'].map((word) => (
      createHash('sha256').update(word).digest('hex')
    )),
    createHash('sha256').update('secret').digest('base64'), createHash('sha512').update('').digest('base64url'),
    createHash('sha256').update('secret').digest('hex').toUpperCase()
  ]],
  [/begins with a name or a scheme/, [
    `AUTH_JWT=${secret}`,
    ...['BETTER_AUTH_SECRET', 'AUTH_TOKEN', 'APP_KEY', 'X_API_KEY', 'MY_SECRET', 'JWTSECRET', 'SECRET'].map((name) => (
      `${name}=${secret}`
    )),
    `Bearer ${secret}`
  ]],
  [/is a URL, not a shared secret/, ['file:/run/keys/better-auth-of-production.txt']],
  [sample, [
    // As they stand in documentation and examples: of Supabase, PostgREST, Hasura, Better Auth and others.
    'better-auth-secret-123456789',
    'super-secret-jwt-token-with-at-least-32-characters-long',
    'super-secret-jwt-token-with-at-least-32-characters-length',
    'your-super-secret-jwt-token-with-at-least-32-characters-long',
    'your-super-secret-jwt-token-with-at-least-32-characters',
    'YOUR_SUPER_SECRET_JWT_TOKEN_WITH_AT_LEAST_32_CHARACTERS_LONG',
    'YourSuperSecretKeyThatIsAtLeast32CharactersLong!',
    'YourSecureKeyHere-MustBeAtLeast32CharactersLong',
    'a-valid-string-secret-that-is-at-least-384-bits-long',
    'your-256-bit-secret-replace-this-in-production',
    'your_super_long_secret_key_here',
    'your_super_secure_random_string_here_min_32_chars',
    'myjwtsecretthats32characterslong',
    'thisisaverystrongsecretkey123456789',
    'mysupersecretkey_changethisinproduction',
    'MySuperSecretJwtSigningKeyForProduction',
    'sharedsecretwithyourauthenticationprovider',
    'this_password_is_insecure_and_should_be_updated',
    'router-test-jwt-secret-32-bytes-long!',
    'docker-build-placeholder-min-32-chars',
    'generate-a-long-random-secret',
    'replace-with-at-least-32-random-characters',
    'change-me-to-a-long-random-string',
    'please-replace-this-with-a-real-secret-before-going-live',
    'my_company_secret_2026!@#$%^&*()',
    // Each sign alone.
    ...['secret', 'passphrase', 'password', 'placeholder', 'replace', 'change', 'example', 'sample', 'insert',
      'default', 'generate', 'your', 'jwt', 's3cr3t', 'sekret', 'segret', 'geheim', 'p@ssw0rd', 'pa$$word', 'not',
      'you'].flatMap((sign) => [
      `the-${sign}-of-our-shop-in-the-old-town`, `THE_${sign.toUpperCase()}_OF_OUR_SHOP_IN_THE_TOWN`
    ]),
    'To be, or not to be, that is the question',
    'you-will-never-guess-this-in-a-million-years', 'development-only-do-not-use-in-prod!',
    'for-local-development-only-of-our-shop', 'signing value for testing only!!', 'shop_backend_local_dev_only_2026',
    'e2e-playwright-signing-value-do-not-use', 'd3v-s3cr3t-k3y-of-our-shop-in-town',
    'dein-geheimer-schluessel-mindestens-32-zeichen', 'la_tua_chiave_segreta_molto_lunga_qui',
    // In another form, and where a secret is kept instead of the secret.
    ...(['base64', 'base64url', 'hex'] as const).map((encoding) =>
      Buffer.from('your-super-secret-key-change-it-in-production').toString(encoding)),
    'projects/our-shop/secrets/auth-key/versions/latest', '{{ vault.shop.auth }} {{ vault.shop.north }}',
    'oursecretofthebigshop', 'our shop. your town. 32 letters.',
    // In whole what would be put into its place.
    '<at least 32 random letters>', '<Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT>', '$' + `{SECRET}-${secret}`,
    // Almost enough beside the word.
    `the-secret-of-our-shop-${unexplained.slice(1)}`,
    'the-secret-of-our-shop-internationally', 'THE-SECRET-OF-OUR-SHOP-INTERNATIONALLY',
    'north-secret-turtle-the-lamp-orbit-fog',
    'the-secret-of-north-turtle-a1b2-c3d9-x7k2', 'the-secret-of-internationally123456neighbour',
    'north-secret-turtle-change-lamp-orbit-quiet-zebra-window-copper-meadow',
    'our-great-shop-secret-our-great-shop-of-north-town', 'fastify-user-scope-secret-fastify-user-scope',
    'shop-town-secret-north-shop-town-shop-north'
  ]],
  [guessable, [
    'put-a-long-random-string-here-for-better-auth',
    '0123456789abcdef0123456789abcdef', 'fedcba98765432100123456789ABCDEF', '00112233445566778899aabbccddeeff',
    'abcdefghijklmnopqrstuvwxyz0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '98765432109876543210987654321098',
    'qwertyuiopasdfghjklzxcvbnm123456', 'poiuytrewqlkjhgfdsamnbvcxz654321', 'qwertzuiop-asdfghjkl-yxcvbnm-123456789',
    'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6', '1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y', 'aA1bB2cC3dD4eE5fF6gG7hH8iI9jJ0kK',
    '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,',
    'kkkqqqvvvbbbxxxnnnhhhzzzpppdddlll', 'deadbeef4321'.repeat(4), 'deadbeefdeadbeefdeadbeef-12345678',
    'reallyreallyreallyreallyverysafe', 'really-really-really-really-very-safe',
    'ReallyReallyReallyReallyVerySafe',
    ...paddingWords.map((word) => `${unexplained.slice(1)}-${word}-abcdefghijklmnopq`),
    `${unexplained.slice(1)}\tabcdefghijklmnopq`, `${unexplained.slice(1)}abcdefghijklmnopq`,
    `${unexplained.slice(1)}.-_ .-_ .-_ .-_ .-_`,
    'token-key-signing-test-super-very-really-safe-secure-strong',
    'long-random-string-characters-chars-bits-bytes-this-that',
    'with-must-least-minimum-production-application-authentication-auth', '!@#$%^&*()!@#$%^&*()!@#$%^&*()abcdef',
    ...[...lines, ...lines.map((line) => [...line].reverse().join(''))].map((line) => (
      `${unexplained.slice(1)}.${line}.token.secure`
    )),
    `${'Kp7q'.repeat(4)}${'Zt2m'.repeat(4)}`, `${'Ab1cD2eF'.repeat(3)}-Ab1cD2e`,
    secret.slice(0, 15).repeat(3),
    ...['my-app-dev-local', 'shop-backend-2026', 'hello world 2026'].map((text) => Buffer.from(text).toString('hex')),
    'development-development-development', 'keyboard cat keyboard cat keyboard cat',
    'keyboardcat-keyboardcat-keyboardcat-keyboardcat', 'shop-in-town26-shop-in-town26-!!',
    '1qaz2wsx3edc2wsx1qaz2wsx3edc2wsx', 'zaq1xsw2cde3xsw2zaq1xsw2cde3xsw2',
    'my-shop-in-town26my-shop-in-town26', 'my_shop_in_town26_my_shop_in_town26',
    'my/shop/in/town26/my/shop/in/town26', 'our shop in town - our shop in town',
    'Monday. Monday. Monday. Monday. Monday.',
    ...(['base64', 'base64url', 'hex'] as const).map((encoding) =>
      Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789').toString(encoding))
  ]]
]

for (const [says, secrets] of judgedByForm) {
  t.test(`unfit by form: ${says.source.slice(0, 40)}`, async (t) => {
    for (const value of secrets) {
      const fault = faultOf(value)
      t.match(fault ?? 'none', says, value)
      t.notOk(fault?.includes(value), 'the secret is not shown')
    }
  })
}

t.test('a secret that only resembles a sample is accepted', async (t) => {
  for (const value of [
    `the-secret-of-our-shop-${unexplained}`, `prod-secret-${randomUUID()}`,
    `change-me-${secret}`, `your-jwt-secret/${secret}`,
    'nothing-battery-kingfisher-lampshade', // begins like "not"
    'the-secret-of-our-shop-incomprehensible', // 16 letters without a break
    `abcdefghijklmnopq${unexplained}`, `${unexplained}-abcdefghijklmnopq`,
    `!@#$%^&*()!@#$%^&*()!@#$%^&*()${unexplained}`,
    // Passphrases: words at random, with a word of samples among them as chance has it.
    'correct-horse-battery-staple-orbit-lamp', 'correct horse battery staple orbit lamp',
    'turtle_change_lamp_orbit_quiet_zebra', 'correct-horse-secret-battery-staple-lamp!',
    'north-secret-turtle-change-lamp-orbit-quiet-zebra-window-copper-meadow-wise-bone',
    'vastly7-amid8-secret8-boat4-that7-backhand0',
    'crept-unsafe-clip-bullion-fang-unissued-only-editor', 'purse-only-manliness-thaw-unsubtly-4821',
    'Require.Railcar.Research.Statutory.Defiling.Luminous',
    'Quintuple-Unlearned-Change-Worrier-Ardently-Skipping8', // with a digit, as Bitwarden makes them
    'CorrectHorseBatteryStapleOrbitLamp', 'correcthorsebatterystapleorbitlamp',
    'ajwtinside-ourtownyouride-lampwindow-copper',
    // Five characters are no sequence, and seven characters two times no repetition.
    '12345.qwert.edcba.zxcvb.67890.lkjhg.mnbvc', 'a1b2c3d4e5Za1b2c3d4eRb2c3d4e5fXZ',
    'Kp7qZt2Kp7qZt2-.-Hq9mRv5Hq9mRv5x',
    unexplained.repeat(2), unexplained.repeat(3), `${unexplained}-${unexplained}-${unexplained}`,
    // Texts in base64 and hex, and what Node would decode as a short one.
    Buffer.from(`${unexplained}${secret}`).toString('base64'), Buffer.from(secret).toString('hex'), `YWJj=${secret}`,
    // Bytes that are UTF-8 by chance, with a full stop among them; a key that begins with "//", in the form of Laravel.
    '4f081115457b712b4c6d23deb02e6659', `base64://${randomBytes(32).toString('base64').slice(2)}`,
    'fbfefaf9fdf8fffcfafdfbf9fefcf8ff', // bytes that are no text
    // What only begins or ends like a variable or a name.
    `GDGXVUCW=&IJ${secret}`, `<${secret}<html>`,
    // In base32, whose padding is no value of a variable.
    'GDGXVUCWRMZQTBNHSLPFYJAOEIUDKKEY=',
    // As a password manager makes them, with spaces, minus signs and brackets.
    'tTPkDok -c OG wWVT5iMKWKn-ZRS3BGNKtbOIG4', '<enUJU[U(9z1mj(fr8o>FYBv6 YLNJlUTvk<JE5u>',
    `\${a>${secret}}`, `$(${unexplained})${secret}`, `${secret}-vault:${unexplained}`, `${secret}Bearer ${secret}`,
    // What begins in another way than an ssh key, and words whose ends repeat.
    Buffer.from(`${secret}\0\0\0\x0bssh-ed25519`).toString('base64'),
    'express signal format parse express secrets stays',
    // One letter less than those of a generator.
    `A?D(9+${secret}`,
    'Mw4!Mw4!Kp7?Kp7?Zt2.Zt2.Hq9-Hq9-Rv5+Rv5+', '正しい馬の電池の留め金と青い月',
    // Starts like an ssh key, like the hex of "[]" and "{}", and like DER.
    `AAAA${randomBytes(30).toString('base64')}`, `5b5d${secret}`, `5b5d${secret}0`, `7B7D${secret}`,
    `MCowBQYDK2VwAyEA${secret}`
  ]) t.equal(faultOf(value), null, value)
})

const encodings = ['base64', 'hex', 'base64url'] as const
const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const generated = {
  ...Object.fromEntries(encodings.map((encoding) => [encoding, () => randomBytes(32).toString(encoding)])),
  'prod-secret- and base64': () => `prod-secret-${randomBytes(32).toString('base64')}`,
  'two UUIDs': () => randomUUID() + randomUUID(),
  nanoid: () => Array.from({ length: 32 }, () => characters[randomInt(64)]).join('')
}

// SECRET_CASES=1000000 for the proof, which takes minutes.
const cases = Number(process.env.SECRET_CASES ?? 500)

t.test(`random secrets are fit: ${cases} of each kind`, async (t) => {
  for (const [kind, generate] of Object.entries(generated)) {
    let refused: string | null = null
    for (let count = 0; count < cases && !refused; count++) refused = faultOf(generate())
    t.equal(refused, null, kind)
  }
})

t.test('a secret needs as many bytes as the hash of the longest algorithm', async (t) => {
  const lengths: Array<[algorithms: UserScopeOptions['algorithms'], bytes: number]> = [
    [undefined, 32], [['HS256'], 32], [['HS384'], 48], [['HS512'], 64], [['HS512', 'HS256'], 64],
    [['HS256', 'HS384'], 48]
  ]
  for (const [algorithms, bytes] of lengths) {
    const options = algorithms ? { algorithms } : {}
    const long = longSecret.slice(0, bytes)
    await t.resolves(boot(t, {}, { ...options, secret: long }), `${bytes} bytes`)
    await t.resolves(boot(t, {}, { ...options, secret: `ä${long.slice(2)}` }), 'bytes, not characters')
    await t.rejects(boot(t, { BETTER_AUTH_SECRET: long.slice(1) }, options), {
      code: 'FST_USER_SCOPE_INVALID_OPTION',
      message: `BETTER_AUTH_SECRET is shorter than ${bytes} bytes, the least for HS${bytes * 8}. ` +
        `Fix: make one with: openssl rand ${bytes > 48 ? '-hex' : '-base64'} ${bytes}`
    })
  }
})

t.test('tokens signed with another secret are refused', async (t) => {
  const app = Fastify()
  await app.register(userScope, { secret })
  app.get('/api/me', async () => 'in')
  t.match(await sender(app)({ url: '/api/me', headers: bearer(signedWith(otherSecret)) }), {
    status: 401, code: 'INVALID_TOKEN_SIGNATURE'
  })
})
