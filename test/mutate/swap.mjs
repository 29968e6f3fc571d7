// Loads one module from another file: MUTANT_URL names the module, MUTANT_FILE the JavaScript in its place.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

const { MUTANT_URL, MUTANT_FILE } = process.env

export async function load (url, context, next) {
  if (url.split('?')[0] !== MUTANT_URL) return next(url, context)
  return { format: 'module', source: readFileSync(MUTANT_FILE), shortCircuit: true }
}
