import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const isSource = (url) => url.startsWith('file:') && url.endsWith('.ts') && !url.includes('/node_modules/')

/** As TypeScript does it: the import of `x.js` means `x.ts` where there is no other. */
export function resolve (specifier, context, next) {
  if (/^(\.|file:)/.test(specifier) && specifier.endsWith('.js') && isSource(context.parentURL ?? '')) {
    const url = new URL(specifier.replace(/js$/, 'ts'), context.parentURL).href
    if (existsSync(fileURLToPath(url))) return next(url, context)
  }
  return next(specifier, context)
}

export async function load (url, context, next) {
  if (!isSource(url)) return await next(url, context)
  const options = { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: fileURLToPath(url) }
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), options)
  return { format: 'module', source: code, shortCircuit: true }
}
