import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lockFolder } from '../../examples/folder-lock.js'

const never = () => { throw new Error('lost') }

/** The folder after the holder was killed: its file stands there, and nobody touches it. */
const afterKill = (t: Test, text = '') => t.testdir({ 'lock.7': text, 'lock.6': '', secret: '' })

t.test('one server at a time', async (t) => {
  const folder = t.testdir({})
  const release = await lockFolder(folder, never)
  t.ok(release)
  t.equal(await lockFolder(folder, never, 60_000), null)
  await release?.()
  const next = await lockFolder(folder, never, Infinity)
  t.ok(next, 'what ended well is not waited for')
  t.same(await readdir(folder), ['lock.2'])
  await next?.()
})

t.test('what a killed server left is no obstacle, whatever stands in it', async (t) => {
  for (const text of ['', 'x', '1\n']) {
    const folder = afterKill(t, text)
    const release = await lockFolder(folder, never, 500)
    t.ok(release)
    t.same((await readdir(folder)).sort(), ['lock.8', 'secret'])
    await release?.()
  }
})

t.test('of several that come at once one gets the folder', async (t) => {
  for (let round = 0; round < 20; round++) {
    // Who runs is seen at the next beat; that nobody does, only when the patience ends.
    const [folder, patience] = round < 2 ? [afterKill(t), 5000] : [t.testdir({}), 60_000]
    const releases = await Promise.all(Array.from({ length: 6 }, () => lockFolder(folder, never, patience)))
    t.equal(releases.filter(Boolean).length, 1)
    await Promise.all(releases.map((release) => release?.()))
  }
})

t.test('whoever looked too long ago does not get in beside', async (t) => {
  const folder = afterKill(t)
  // While it waits for the seventh, others have come and gone, and the tenth is there.
  const late = lockFolder(folder, never, 1000)
  await writeFile(join(folder, 'lock.10'), 'free')
  await rm(join(folder, 'lock.7'))
  const release = await late
  t.ok(release)
  t.same((await readdir(folder)).sort(), ['lock.11', 'secret'])
  await release?.()
})

t.test('a server that lost the folder is told', async (t) => {
  const folder = t.testdir({})
  const alive = setInterval(() => {}, 1000) // the lock keeps no process running
  t.teardown(() => clearInterval(alive))
  let release: (() => Promise<void>) | undefined
  const lost = new Promise<void>((resolve) => { lockFolder(folder, resolve).then((freed) => { release = freed ?? undefined }, t.threw) })
  await rm(join(folder, await lockIn(folder)))
  await lost
  await rm(folder, { recursive: true })
  await release?.()
})

t.test('what cannot be read is told', async (t) => {
  await t.rejects(lockFolder(t.testdir({ 'lock.1': {} }), never), { code: 'EISDIR' })
  await t.rejects(lockFolder(join(t.testdir({}), 'none'), never), { code: 'ENOENT' })
})

async function lockIn (folder: string): Promise<string> {
  for (;;) {
    const name = (await readdir(folder)).find((name) => name.startsWith('lock.'))
    if (name) return name
  }
}
