/** Installs what only the benchmarks need, the first time. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('.', import.meta.url))

if (!existsSync(`${directory}node_modules`)) {
  const { status } = spawnSync(
    'npm',
    ['ci', '--prefix', directory, '--no-audit', '--no-fund'],
    { stdio: 'inherit', timeout: 300_000 }
  )
  if (status !== 0) throw new Error('the packages of test/benchmark could not be installed')
}
