import Fastify from 'fastify'
import t from 'tap'
import { variantsOf } from '../lib/url-variants.js'

const labels = (options: object) => variantsOf(Fastify(options)).map(({ label, suffix = '', textOf = (text) => text }) => [label, textOf('/a/b') + suffix])

t.test('what the router takes for one URL', async (t) => {
  const slash = ['with a slash behind', '/a/b/']
  t.same(labels({}), [slash])
  t.same(labels({ routerOptions: { caseSensitive: false } }), [slash, ['in capitals', '/A/B']])
  t.same(labels({ routerOptions: { ignoreDuplicateSlashes: true } }), [slash, ['with two slashes', '//a/b']])
})
