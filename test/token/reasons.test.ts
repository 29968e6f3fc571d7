import t from 'tap'
import { mistakeIn } from '../../lib/token/reasons.js'
import { build, refusals, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const token = tokenFor('alice')
const noToken = (text: string) => `the client has no token, and sends the text "${text}" in its place. ` +
  'Fix: let it wait for the token, or sign in first'
const noScheme = 'the token has no scheme. Fix: put "Bearer" and one space before it'
const variable = 'the client sends the name of a variable in place of the token. ' +
  'Fix: double quotes in a shell, backticks in JavaScript'
const joined = 'several Authorization headers, which a proxy or the client joined with a comma'
const unknown = 'the header is not "Bearer <token>" with one space between'

const rows: Array<[header: string, code: string, reason: string]> = [
  ...['undefined', 'null', 'NaN', 'true', 'false', 'Undefined'].map(
    (text): [string, string, string] => [`Bearer ${text}`, 'MALFORMED_TOKEN', noToken(text)]
  ),
  ['bearer undefined', 'MALFORMED_TOKEN', noToken('undefined')],
  ['Bearer [object Object]', 'INVALID_HEADER_FORMAT', noToken('[object Object]')],
  ['Bearer [object Promise]', 'INVALID_HEADER_FORMAT', noToken('[object Promise]')],
  [`Bearer [object ${'a'.repeat(300)}]`, 'INVALID_HEADER_FORMAT', noToken(`[object ${'a'.repeat(192)}…`)],
  ['Bearer ', 'INVALID_HEADER_FORMAT', 'the client sends no token after "Bearer"'],
  ['Bearer undefined.x', 'MALFORMED_TOKEN', 'segments: 2 instead of 3'],
  ['Bearer nullable', 'MALFORMED_TOKEN', 'segments: 1 instead of 3'],
  [`Bearer Bearer ${token}`, 'INVALID_HEADER_FORMAT', 'the client puts "Bearer" before a value that already has it'],
  [`Bearer bearer ${token}`, 'INVALID_HEADER_FORMAT', 'the client puts "Bearer" before a value that already has it'],
  ...['""', "''", '``', '<>', '{}'].map((marks): [string, string, string] =>
    [`Bearer ${marks[0]}${token}${marks[1]}`, 'INVALID_HEADER_FORMAT', 'the token is in quotes or brackets']),
  [`bearer "${token}"`, 'INVALID_HEADER_FORMAT', 'the token is in quotes or brackets'],
  ...['TOKEN', '{TOKEN}', '{{ secrets.TOKEN }}'].map((name): [string, string, string] =>
    [`Bearer $${name}`, 'INVALID_HEADER_FORMAT', variable]),
  [token, 'INVALID_HEADER_FORMAT', noScheme],
  ['eyJ', 'INVALID_HEADER_FORMAT', unknown],
  ['Basic abc', 'INVALID_HEADER_FORMAT', unknown],
  ...['DPoP', 'dpop'].map((scheme): [string, string, string] => [
    `${scheme} ${token}`, 'INVALID_HEADER_FORMAT',
    'the client sends a token bound to its key (DPoP), which is not supported. Fix: let it request a bearer token'
  ]),
  ['', 'INVALID_HEADER_FORMAT', unknown],
  ...['Bearer null', 'Bearer Bearer y', 'Bearer "y"', 'eyJ.y'].map((text): [string, string, string] =>
    [`x ${text}`, 'INVALID_HEADER_FORMAT', unknown]),
  ['Bearer', 'INVALID_HEADER_FORMAT', 'the client sends no token after "Bearer"'],
  [`Bearer  ${token}`, 'INVALID_HEADER_FORMAT', unknown],
  ...[`Bearer ${token}, Bearer ${token}`, `Bearer ${token},Bearer ${token}`, `Bearer ${token}, Basic abc`,
    `Basic abc, bearer ${token}`].map((text): [string, string, string] => [text, 'INVALID_HEADER_FORMAT', joined]),
  ['Digest realm="a b", qop="c d"', 'INVALID_HEADER_FORMAT', unknown],
  ['Bearer a.b.c.d.e', 'MALFORMED_TOKEN', 'an encrypted token (JWE)']
]

t.test('what clients send by mistake is named in the log', async (t) => {
  const { send, log } = await build(t)
  for (const [authorization, code, reason] of rows) {
    log.length = 0
    t.match(
      await send({ url: '/api/me', headers: { authorization } }),
      { status: 401, code },
      authorization.slice(0, 20)
    )
    t.match(refusals(log), sameLength([{ code, reason }]))
    for (const part of token.split('.')) t.notMatch(JSON.stringify(log), part)
  }
})

t.test('an encrypted token is named even if no configured issuer makes any', async (t) => {
  const fetch = async () => await Promise.reject(new Error('no issuer'))
  const entry = { issuer: 'https://id.example', jwksUri: 'https://id.example/jwks', audience: 'api', lazy: true, fetch }
  const { send, log } = await build(t, { issuers: [entry] })
  t.match(await send({ url: '/api/me', headers: { authorization: 'Bearer a.b.c.d.e' } }), { code: 'MALFORMED_TOKEN' })
  const fix = 'Fix: let the client request a signed access token for this API, by its audience'
  t.strictSame(refusals(log).map(({ reason }) => reason), [`an encrypted token (JWE). ${fix}`])
})

t.test('if several kinds look alike, each is named once', async (t) => {
  const form = (says: string, fits = true) => ({
    says,
    fitsText: (text: string) => fits && (text === 'x' || text === 'Basic x'),
    fits: () => false
  })
  t.equal(mistakeIn('Bearer x', [form('one'), form('two'), form('one'), form('three', false)]), 'one; or two')
  t.equal(mistakeIn('bearer x', [form('one')]), 'one')
  for (const header of ['Bearer y', 'x y', 'Basic Bearer x', 'Bearer x y']) {
    t.equal(mistakeIn(header, [form('one')]), undefined, header)
  }
  t.equal(mistakeIn('Bearer null', [form('one')]), noToken('null'))
})
