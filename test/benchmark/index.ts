/**
 * `npm run bench <what>`: `requests` (the default) for servers side by side, `micro` for verification alone,
 * `signatures` for the ways to verify those of issuers, `boot` for the start of an app with many routes, `heap` for the
 * memory of the cache, `revocations` and `faults` for revocations in memory and with a Redis that fails. Each file
 * names what it measures and its variables.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const files: Record<string, string> = {
  requests: 'requests.ts',
  micro: 'micro.mjs',
  signatures: 'signatures.ts',
  boot: 'boot.ts',
  heap: 'heap.ts',
  revocations: 'revocation-memory.ts',
  faults: 'revocation-faults.ts'
}
const [what = 'requests', ...args] = process.argv.slice(2)
const file = Object.hasOwn(files, what) ? files[what] : undefined
if (file === undefined) {
  console.error(`unknown benchmark "${what}". Use one of: ${Object.keys(files).join(', ')}`)
  process.exit(1)
}
const path = fileURLToPath(new URL(file, import.meta.url))
// The helpers of tests load tap, which would end what takes longer than a test.
const env = { ...process.env, TAP_TIMEOUT: '0' }
spawn(process.execPath, ['--expose-gc', '--import', 'tsx', path, ...args], { stdio: 'inherit', env })
  .once('exit', (code) => { process.exitCode = code ?? 1 })
