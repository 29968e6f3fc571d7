import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const isSource = (url) => url.startsWith('file:') && url.endsWith('.ts') && !url.includes('/node_modules/')

/** As TypeScript does it: the import of `x.js` means `x.ts` where there is no other. */
export function resolve (specifier, context, next) {
  if (!/^(\.|\/|file:).*\.js$/.test(specifier)) return next(specifier, context)
  const written = new URL(specifier, context.parentURL)
  const source = new URL(written.href.replace(/js$/, 'ts'))
  return next(existsSync(source) && !existsSync(written) ? source.href : specifier, context)
}

export async function load (url, context, next) {
  if (!isSource(url)) return await next(url, context)
  const options = { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: fileURLToPath(url) }
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), options)
  return { format: 'module', source: code, shortCircuit: true }
}
