import { execFile } from 'node:child_process'
import { env } from 'node:process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { freePort, root, run } from '../support/example.js'
import { bearer, secret, tokenFor } from '../support/host.js'

/** Sends to a server what tells the three levels apart. */
async function checkLevels (t: Test, port: string, tokenOfAlice: string): Promise<void> {
  const status = async (path: string, headers = {}) =>
    (await fetch(`http://localhost:${port}${path}`, { headers })).status
  for (const [path, own, anonymous] of [
    ['/api/alice/tasks', 200, 401],
    ['/api/bob/tasks', 403, 401],
    ['/api/me', 200, 401],
    ['/health', 200, 200]
  ] as const) {
    t.equal(await status(path, bearer(tokenOfAlice)), own, path)
    t.equal(await status(path), anonymous, path)
  }
}

t.test('shared-secret.ts answers as it says', async (t) => {
  const port = await freePort().then(String)
  for (const variables of [{ PORT: port }, { PORT: port, BETTER_AUTH_SECRET: secret }]) {
    const { prints, kill, ended } = run(t, variables, root, 'node --import tsx examples/shared-secret.ts')
    const line = (await prints(/^curl .*\n$/)).trim()
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { env: { PATH: env.PATH } })
    t.match(stdout, /^HTTP\/1\.1 200 [^]*{"tasks":\[\],"owner":"alice"}$/)
    const printed = String(/Bearer ([^']+)/.exec(line)?.[1])
    await checkLevels(t, port, 'BETTER_AUTH_SECRET' in variables ? tokenFor('alice') : printed)
    kill('SIGTERM')
    await ended
  }
})

t.test('scoped.ts answers as it says', async (t) => {
  const port = String(await freePort())
  const { prints } = run(t, { PORT: port, BETTER_AUTH_SECRET: secret }, root, 'node --import tsx examples/scoped.ts')
  await prints(/Server listening/)
  await checkLevels(t, port, tokenFor('alice'))
})
