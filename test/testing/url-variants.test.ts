import Fastify from 'fastify'
import t from 'tap'
import { routerSettings, variantsOf } from '../../lib/testing/url-variants.js'

const labels = (options: object) => variantsOf(routerSettings(Fastify(options))).map(({ label, suffix = '', textOf = (text) => text }) => [label, textOf('/a/b') + suffix])

t.test('what the router takes for one URL', async (t) => {
  const slash = ['with a slash behind', '/a/b/']
  t.same(labels({}), [slash])
  t.same(labels({ routerOptions: { caseSensitive: false } }), [slash, ['in capitals', '/A/B']])
  t.same(labels({ routerOptions: { ignoreDuplicateSlashes: true } }), [slash, ['with two slashes', '//a/b']])
})

t.test('the settings of the router', async (t) => {
  const loose = { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }
  t.same(routerSettings(Fastify()), { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false })
  t.same(routerSettings(Fastify({ routerOptions: loose })), loose)
})
