import neostandard from 'neostandard'

/** The rooms of lib, from the road's start to its end: a room may import only the rooms named beside it. */
const rooms = {
  contract: [],
  options: ['contract'],
  routes: ['contract', 'options'],
  keys: ['contract', 'options'],
  token: ['contract', 'options', 'keys'],
  revocations: ['contract', 'options', 'keys', 'token'],
  guard: ['contract', 'options', 'routes', 'token', 'revocations'],
  openapi: ['contract', 'options', 'routes'],
  presets: ['contract', 'options'],
  testing: ['contract', 'options', 'routes', 'openapi']
}

const importsOneWay = Object.entries(rooms).map(([room, allowed]) => ({
  files: [`lib/${room}/**`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [{
        regex: `^\\.\\./(?!(${[...allowed, '$'].join('|')})/)`,
        message: `lib/${room} may import ${allowed.length > 0 ? allowed.join(', ') : 'packages'} only`
      }]
    }]
  }
}))

export default [
  ...neostandard({
    ts: true,
    ignores: ['dist', '.tap', 'node_modules']
  }),
  {
    files: ['lib/**', 'test/**', 'examples/**'],
    rules: { '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true }] }
  },
  ...importsOneWay,
  {
    files: ['lib/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ regex: '^\\./testing/', message: 'the plugin loads nothing of the test kit' }]
      }]
    }
  }
]
