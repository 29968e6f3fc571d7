/**
 * How issuers' signatures are verified best: by `node:crypto` at once, or by `jose` in a thread of WebCrypto; one new
 * token at a time and 16. `taskset -c 0 npm run bench signatures` shows one core.
 */
import { constants, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { median } from './quantile.js'

interface Kind {
  alg: string
  hash: string | null
  pair: () => { publicKey: KeyObject, privateKey: KeyObject }
  extra?: object
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const ec = { dsaEncoding: 'ieee-p1363' }
const rsaPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const ecPair = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })
const kinds: Kind[] = [
  { alg: 'RS256', hash: 'sha256', pair: rsaPair },
  { alg: 'PS256', hash: 'sha256', pair: rsaPair, extra: pss },
  { alg: 'ES256', hash: 'sha256', pair: ecPair('P-256'), extra: ec },
  { alg: 'ES384', hash: 'sha384', pair: ecPair('P-384'), extra: ec },
  { alg: 'ES512', hash: 'sha512', pair: ecPair('P-521'), extra: ec },
  { alg: 'EdDSA', hash: null, pair: () => generateKeyPairSync('ed25519') }
]
const [count, rounds] = [500, 7]

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Microseconds of a token. */
async function time (run: () => unknown): Promise<number> {
  const start = performance.now()
  await run()
  return (performance.now() - start) / count * 1000
}

const table = []
for (const { alg, hash, pair, extra } of kinds) {
  const { publicKey, privateKey } = pair()
  const tokens = Array.from({ length: count }, (_, n) => {
    const input = `${encode({ alg })}.${encode({ sub: `user-${n}`, exp: 2e9 })}`
    return `${input}.${sign(hash, Buffer.from(input), { key: privateKey, ...extra }).toString('base64url')}`
  })
  const ofJose = await importJWK(publicKey.export({ format: 'jwk' }), alg)
  const atOnce = () => {
    for (const token of tokens) {
      const dot = token.lastIndexOf('.')
      const signature = Buffer.from(token.slice(dot + 1), 'base64url')
      if (!verify(hash, Buffer.from(token.slice(0, dot)), { key: publicKey, ...extra }, signature)) throw new Error(alg)
    }
  }
  const inThreads = (together: number) => async () => {
    const queue = tokens.values()
    await Promise.all(Array.from({ length: together }, async () => {
      for (const token of queue) await compactVerify(token, ofJose, { algorithms: [alg] })
    }))
  }
  const ways = { 'node:crypto': atOnce, 'jose, 1 at a time': inThreads(1), 'jose, 16 at a time': inThreads(16) }
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) times.get(name)?.push(await time(run))
  }
  const medians = [...times].map(([name, each]) => [`${name}, µs`, Math.round(median(each))])
  table.push({ alg, ...Object.fromEntries(medians) })
}
console.table(table)
