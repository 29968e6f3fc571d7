import { execFile } from 'node:child_process'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import { promisify } from 'node:util'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import t from 'tap'
import { root, startInTerminal } from '../support/example.js'
import { runPlain } from '../support/run-plain.js'

t.test('a client made from the document compiles strictly and walks through the API', async (t) => {
  const { send, address, baseURL, password, prints, pid, kill } = await startInTerminal(t)
  const dir = t.testdir({ 'package.json': '{ "type": "module" }' })
  await cp(join(root, 'test/example/client'), dir, { recursive: true })
  const { body: document } = await send('/docs/json')
  await writeFile(join(dir, 'schema.d.ts'), astToString(await openapiTS(document as OpenAPI3)))
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { rootDir: '.', skipLibCheck: false, skipDefaultLibCheck: true, lib: ['ES2023', 'DOM'] },
    files: ['walk.ts'],
    include: []
  }))

  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const compile = () => runPlain(process.execPath, [tsc, '-p', dir])
    .then(() => '', ({ stdout }: { stdout: string }) => stdout)
  t.equal(await compile(), '')

  const walked = await runPlain('node', ['--import', 'tsx', join(dir, 'walk.ts')], {
    cwd: root, env: { PATH: env.PATH, BASE_URL: address, PASSWORD: password }
  })
  t.same(JSON.parse(walked), {
    typed: true,
    user: true,
    created: 'Buy milk',
    listed: [{ title: 'Buy milk', completed: false }],
    other: {
      statusCode: 403,
      code: 'FORBIDDEN_USER_ACCESS',
      error: 'Forbidden',
      message: "Access denied: cannot access another user's resources"
    },
    anonymous: 'MISSING_TOKEN'
  })
  await t.test('each refusal is one readable line in a terminal', async (t) => {
    const shown = (await prints(/GET \/api\/me request refused[^\n]*\n/)).replaceAll('\r', '')
    const log = shown.slice(shown.indexOf('# Stop with Ctrl+C.')).split('\n').slice(1, -1)
    t.match(log, [
      /^\[\d\d:\d\d:\d\d.*\] INFO: GET \/api\/somebody-else\/tasks request refused FORBIDDEN_USER_ACCESS: .*user_id/,
      /^\[\d\d:\d\d:\d\d.*\] INFO: GET \/api\/me request refused MISSING_TOKEN: no Authorization header$/
    ])
    t.equal(log.length, 2)
  })
  t.not(address, baseURL, 'by another name of the same server, whose origin it trusts')

  const program = await readFile(join(dir, 'walk.ts'), 'utf8')
  await writeFile(join(dir, 'walk.ts'), program.replaceAll(/^ *\/\/ @ts-expect-error.*\n/gm, ''))
  t.equal((await compile()).match(/error TS/g)?.length, 6, 'each mistake is an error of its own')

  await t.test('closing the terminal ends the server', async () => {
    const { stdout: server } = await promisify(execFile)('ps', ['-o', 'pid=', '--ppid', String(pid)])
    kill('SIGKILL')
    // Resolves when the process is gone.
    await promisify(execFile)('tail', [`--pid=${server.trim()}`, '-f', '/dev/null'])
  })
})
