import type { FastifyPluginAsync } from 'fastify'

const escape = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)

/** The page at `/`: where the docs are, and the walk to paste. */
export const home: FastifyPluginAsync<{ walk: string }> = async (app, { walk }) => {
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Todo API</title>
<link rel="icon" href="data:,">
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem } pre { background: #f4f4f5; padding: 1rem; overflow-x: auto }</style>
<main>
<h1>Todo API</h1>
<p>Sign in and try it on the <a href="/docs">docs page</a>, or paste this into a shell:</p>
<pre tabindex="0" role="region" aria-label="Commands to paste">${escape(walk)}</pre>
</main>
</html>
`
  app.get('/', { config: { access: 'public' }, schema: { hide: true } }, async (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
}
