import { createHmac } from 'node:crypto'
import t from 'tap'
import { parseCompactJws } from '../../lib/token/jws.js'
import { bearer, build, now, otherSecret, refusals, secret, sign } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const mend = 'send the JWT of GET /api/auth/token instead'
const payload = { sub: 'alice', exp: now() + 3600 }
const notCanonical = (part: string) =>
  `the ${part} is not canonical base64url: cut off, or with padding or characters of plain base64`
const tooLong = 'longer than 8192 bytes. Fix: let the issuer leave out long claims, such as groups'
const good = sign(payload)
const [header, claims, signature] = good.split('.') as [string, string, string]
const b64 = (text: string) => Buffer.from(text).toString('base64url')

/** Well signed, in plain base64. */
function signPlain (header: object, claims: object): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64').replace(/=+$/, '')).join('.')
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The same bytes with other spare bits in the last character, for a segment whose length leaves some. */
function respell (segment: string): string {
  const last = alphabet[alphabet.indexOf(segment.slice(-1)) ^ 1] as string
  const other = segment.slice(0, -1) + last
  if (!Buffer.from(other, 'base64url').equals(Buffer.from(segment, 'base64url'))) throw new Error('no spare bits')
  return other
}
/** A payload whose encoding has spare bits. */
const padding = ' '.repeat((3 - JSON.stringify(payload).length % 3) % 3 + 1)
const spare = sign(JSON.stringify(payload) + padding).split('.') as [string, string, string]

const malformed: Array<[what: string, token: string, reason?: string]> = [
  [
    '1 segment', 'abc', 'an opaque token and no JWT (segments: 1 instead of 3). ' +
      'Fix: let the client request a signed access token for this API, by its audience'
  ],
  ['2 segments', `${header}.${claims}`, 'segments: 2 instead of 3'],
  ['4 segments', `${good}.x`, 'segments: 4 instead of 3'],
  [
    '5 segments', `${good}.x.y`, 'an encrypted token (JWE), such as a session token of Auth.js, ' +
      `or a session cache token of Better Auth: ${mend}`
  ],
  ['60 segments', '.'.repeat(59), 'segments: 6 instead of 3'],
  [
    'a session token of Better Auth',
    `${'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF'}.${Buffer.alloc(32, 7).toString('base64')}`,
    `a session token of Better Auth or another opaque one, not a JWT: ${mend}`
  ],
  [
    'the same without its signature',
    'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF',
    `a session token of Better Auth or another opaque one, not a JWT: ${mend}`
  ],
  [
    'a session cache token of Better Auth',
    b64('{"session":{"session":{},"user":{}}}'),
    `a session cache token of Better Auth, not a JWT: ${mend}`
  ],
  ['empty header', `.${claims}.${signature}`, 'the header is not JSON, or has a member named __proto__'],
  ['empty payload', `${header}..${signature}`, 'the payload is not JSON, or has a member named __proto__'],
  ['all empty', '..'],
  ['longer than 8 KB', sign({ ...payload, pad: 'x'.repeat(8192) }), tooLong],
  ['60 KB', sign({ ...payload, pad: 'x'.repeat(61_440) }), tooLong],
  ['padding on the signature', `${good}=`, notCanonical('signature')],
  ['+ and / for - and _', `${header}.${claims}.${'+/'.repeat(21)}A`, notCanonical('signature')],
  [
    'spare bits in the signature',
    `${header}.${claims}.${respell(signature)}`,
    notCanonical('signature')
  ],
  [
    'spare bits in the payload',
    `${spare[0]}.${respell(spare[1])}.${spare[2]}`,
    notCanonical('payload')
  ],
  ['a payload of 4n + 1 characters', `${header}.${claims}${'A'.repeat((5 - claims.length % 4) % 4 || 4)}.${signature}`],
  ...['???', '>>>'].flatMap((x): Array<[string, string, string]> => [
    [`${x} in the header, in plain base64`, signPlain({ alg: 'HS256', x }, payload), notCanonical('header')],
    [`${x} in the payload, in plain base64`, signPlain({ alg: 'HS256' }, { ...payload, x }), notCanonical('payload')]
  ]),
  ['a tilde in the header', `${header}~.${claims}.${signature}`, notCanonical('header')],
  ['a tilde in the payload', `${header}.${claims}~.${signature}`, notCanonical('payload')],
  [
    'header not UTF-8',
    sign(payload, { header: Buffer.from('7b22616c67223a224853323536222c2278223a22ff227d', 'hex') }),
    'the header is not UTF-8'
  ],
  [
    'payload not UTF-8',
    sign(Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xc3, 0x28]), Buffer.from('","exp":1e10}')])),
    'the payload is not UTF-8'
  ],
  [
    'payload with a byte order mark',
    sign(`\ufeff${JSON.stringify(payload)}`),
    'the payload begins with a byte order mark'
  ],
  [
    'header with a byte order mark',
    sign(payload, { header: '\ufeff{"alg":"HS256"}' }),
    'the header begins with a byte order mark'
  ],
  ['a payload that is null', sign('null'), 'the payload is not a JSON object'],
  ['a header that is null', sign(payload, { header: 'null' }), 'the header is not a JSON object'],
  ['a payload that is a list', sign('[{}]'), 'the payload is not a JSON object'],
  ['payload UTF-16', sign(Buffer.from(JSON.stringify(payload), 'utf16le'))],
  ['header not JSON', `${b64('{"alg":"HS256"')}.${claims}.${signature}`],
  ['payload not JSON', sign('{"sub":"alice",}')],
  ['payload with text behind', sign(`${JSON.stringify(payload)}x`)],
  ...['[]', 'null', '"alice"', '1', 'true', ''].flatMap((json): Array<[string, string]> => [
    [`header ${json || 'nothing'}`, sign(payload, { header: json })],
    [`payload ${json || 'nothing'}`, sign(json)]
  ]),
  ['__proto__ in the header', sign(payload, { header: '{"alg":"HS256","__proto__":{"alg":"none"}}' })],
  [
    '__proto__ in the payload',
    sign('{"exp":1e10,"__proto__":{"sub":"alice"}}'),
    'the payload is not JSON, or has a member named __proto__'
  ],
  ...['\\u005f_proto__', '__proto_\\u005F', '__\\u0070roto__', '__pro\\u0074o__'].map((name): [string, string] =>
    [`${name}: __proto__ written with an escape`, sign(`{"exp":1e10,"sub":"alice","${name}":{}}`)]),
  ['__proto__ further inside', sign('{"exp":1e10,"sub":"alice","x":[{"__proto__":1}]}')]
]

t.test('malformed tokens are refused', async (t) => {
  const { send, log } = await build(t)
  // Each of them twice, because the last header is kept.
  for (const [what, token, reason] of malformed.flatMap((row) => [row, row])) {
    log.length = 0
    const { status, code } = await send({ url: '/api/me', headers: bearer(token) })
    t.same([status, code], [401, 'MALFORMED_TOKEN'], what)
    if (reason) t.match(refusals(log), sameLength([{ reason }]), what)
    t.notOk(JSON.stringify(log).includes(token.slice(0, 60)) && token.length > 60, 'no token in the log')
  }
})

t.test('the last character of a segment has no spare bits (RFC 4648 §3.5)', async (t) => {
  const segments = [0, 1, 2, 3].flatMap((before) => [...alphabet].map((last) => 'A'.repeat(before) + last))
  const whole = segments.filter((each) => Buffer.from(each, 'base64url').toString('base64url') === each)
  t.equal(whole.length, 4 + 16 + 64)
  const accepted = segments.filter((each) => {
    try {
      return parseCompactJws(`${header}.${claims}.${each}`)
    } catch {
      return false
    }
  })
  t.same(accepted, whole)
})

const nested = (depth: number) =>
  `{"sub":"alice","exp":${payload.exp},"x":${'['.repeat(depth)}${']'.repeat(depth)}}`

t.test('a token that is nested more than 64 deep is refused before a parser sees it', async (t) => {
  const { send, log } = await build(t)
  const objects = `{"x":${'{"x":'.repeat(900)}`
  for (const text of [nested(64), nested(2500), objects, '['.repeat(4000), `{"a\\"":${nested(64)}}`]) {
    log.length = 0
    t.match(await send({ url: '/api/me', headers: bearer(sign(text)) }), { status: 401, code: 'MALFORMED_TOKEN' })
    t.match(refusals(log), sameLength([{ reason: 'the payload is nested more than 64 deep' }]), text.slice(0, 60))
  }
  const deep = nested(64).replace('{', '{"alg":"HS256",')
  const { code } = await send({ url: '/api/me', headers: bearer(sign(payload, { header: deep })) })
  t.match([code, refusals(log).at(-1)?.reason], ['MALFORMED_TOKEN', 'the header is nested more than 64 deep'])
})

t.test('unusual but well-formed tokens are accepted', async (t) => {
  const { send } = await build(t)
  const cases: Array<[what: string, token: string]> = [
    ['8 KB to the byte', (() => {
      for (let pad = 6000; ; pad++) {
        const token = sign({ ...payload, pad: 'x'.repeat(pad) })
        if (token.length > 8192) return sign({ ...payload, pad: 'x'.repeat(pad - 1) })
      }
    })()],
    [
      'white space in the JSON',
      sign(`\n { "sub" : "alice" ,\t"exp": ${payload.exp} }\r\n`, { header: ' {"alg": "HS256"} ' })
    ],
    [
      'of a repeated member the last counts (RFC 7519 §4)',
      sign(`{"sub":"bob","sub":"alice","exp":1,"exp":${payload.exp}}`, { header: '{"alg":"none","alg":"HS256"}' })
    ],
    [
      'members named like those of Object.prototype',
      sign(`{"sub":"alice","exp":${payload.exp},"constructor":{"prototype":{"x":1}},"toString":1,"hasOwnProperty":0}`)
    ],
    [
      'members named like those of Object.prototype, and an escape, for which the names are looked at',
      sign(`{"sub":"alice","exp":${payload.exp},"constructor":{"prototype":{"x":"\\n"}},"toString":1}`)
    ],
    ['64 deep', sign(nested(63))],
    ['64 deep, beside others', sign(nested(63).replace('"x":[', '"x":[[],[],'))],
    ['many brackets and braces side by side, and in strings with escapes', sign(
      `{"sub":"alice","exp":${payload.exp},"x":[${'[],{},'.repeat(100)}"\\"${'['.repeat(100)}"]}`
    )]
  ]
  for (const [what, token] of cases) {
    t.match(await send({ url: '/api/me', headers: bearer(token) }), { status: 200, body: { user: 'alice' } }, what)
  }
})

t.test('members named like those of Object.prototype stay claims', (t) => {
  const { payload } = parseCompactJws(sign('{"constructor":{"prototype":{"x":"\\n"}},"toString":1}'))
  t.same(Object.keys(payload), ['constructor', 'toString'])
  t.end()
})

t.test('the form is checked before the algorithm and the signature', async (t) => {
  const { send } = await build(t)
  for (const text of ['[]', '{', '{"exp":1e10,"sub":"alice","__proto__":{}}']) {
    for (const options of [{ key: otherSecret }, { header: '{"alg":"none"}' }, { header: '{"alg":"RS256"}' }]) {
      t.match(await send({ url: '/api/me', headers: bearer(sign(text, options)) }), { code: 'MALFORMED_TOKEN' }, text)
    }
  }
})

t.test('a repeated header is judged as it was the first time', async (t) => {
  const { send } = await build(t, { cache: false })
  const at = sign(payload, { header: { alg: 'HS256', typ: 'at+jwt' } })
  const untyped = sign(payload, { header: { alg: 'HS256' } })
  const answers = []
  for (const token of [good, at, at, good, good, untyped, at]) {
    answers.push((await send({ url: '/api/me', headers: bearer(token) })).code ?? 'ok')
  }
  t.strictSame(answers, ['ok', 'INVALID_CLAIMS', 'INVALID_CLAIMS', 'ok', 'ok', 'ok', 'INVALID_CLAIMS'])
  t.ok(Object.isFrozen(parseCompactJws(good).header), 'nobody can change it in between')
})
