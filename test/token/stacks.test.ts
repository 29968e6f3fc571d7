import t from 'tap'
import { withoutStacks } from '../../lib/token/stacks.js'
import { bearer, build, otherSecret, sign, tokenFor } from '../support/host.js'

const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!
const stateOf = () => Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
t.test('errors have no stack, and the limit is restored', async (t) => {
  t.equal(withoutStacks(() => 5), 5)
  t.throws(() => withoutStacks(() => { throw new Error('x') }), { message: 'x' })
  t.equal(withoutStacks(() => new Error('x')).stack, 'Error: x')
  t.same(stateOf(), before)
})

const hosts: Record<string, () => void> = {
  'not writable, as with --frozen-intrinsics': () => {
    Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false })
  },
  'an accessor': () => { Object.defineProperty(Error, 'stackTraceLimit', { get: () => 10, configurable: true }) },
  deleted: () => { Reflect.deleteProperty(Error, 'stackTraceLimit') }
}
for (const [what, change] of Object.entries(hosts)) {
  t.test(`a limit that is ${what}: tokens are judged all the same`, async (t) => {
    const { send } = await build(t)
    const tokens = [
      tokenFor('alice', { n: 1 }),
      sign({ sub: 'alice', exp: 1e10 }, { key: otherSecret }),
      sign('{"sub":"alice"'),
      sign('{"__proto__":1}')
    ]
    const requests = tokens.map((token) => ({ url: '/api/me', headers: bearer(token) }))
    const codes = []
    change()
    const changed = stateOf()
    let after
    try {
      for (const request of requests) codes.push((await send(request)).code)
      after = stateOf()
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', before)
    }
    t.same(codes, [undefined, 'INVALID_TOKEN_SIGNATURE', 'MALFORMED_TOKEN', 'MALFORMED_TOKEN'])
    t.same(after, changed)
  })
}
