import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'

const root = join(import.meta.dirname, '..')
let ends: Array<() => void> = []

/** Undoes what a file of tests changed for all of its tests, before those of the next begin. */
export const atEnd = (end: () => void): void => { ends.push(end) }

/**
 * Runs all tests of a room in this process, file by file: most of them take less time than a process takes to start.
 * Each is also a test by itself.
 */
export async function testRoom (room: string): Promise<void> {
  for (const name of readdirSync(join(root, room)).filter((name) => name.endsWith('.test.ts'))) {
    await import(join(root, room, name))
    // Tests run in their order, so that those of the file are over.
    await t.test(`${room}/${name} has ended`, async () => {
      mock.reset() // first, as it also brings back what an end has already undone
      for (const end of ends) end()
      ends = []
    })
  }
}
