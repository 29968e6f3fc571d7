import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { assertOwnership, createIssuer, ScopeAssertionError, type OwnershipOptions } from '../../lib/testing/index.js'
import { runPlain } from './run-plain.js'

export const issuer = createIssuer()
export const people = { issuer, alice: 'alice', bob: 'bob' }
/** How many handlers have run. */
export const state = { ran: 0 }

export type Build = (app: FastifyInstance, handler: () => Promise<object>) => unknown

/** A host, none of whose handlers may run. */
export async function host (t: Test, build: Build, options: UserScopeOptions = issuer.options,
  server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(userScope, options)
  await build(app, async () => ({ ran: state.ran++ }))
  return app
}

/** What `assertOwnership` says, without the columns' width; empty where nothing is wrong. */
export async function say (app: FastifyInstance, options: Partial<OwnershipOptions> = {}): Promise<string> {
  const error = await assertOwnership(app, { ...people, ...options } as OwnershipOptions)
    .then(() => null, (error: unknown) => error)
  if (error !== null && !(error instanceof ScopeAssertionError)) throw error
  return error?.message.replace(/(?<=\S) {2,}/g, '  ') ?? ''
}

const root = join(import.meta.dirname, '../..')

/** The URL of a file of the library, for a program of its own, as JavaScript. */
export const libUrl = (file: string, lib = join(root, 'lib')) => JSON.stringify(pathToFileURL(join(lib, file)))

/**
 * What a program of its own puts into `answers`. It has `Fastify`, and begins with `first`. Neither the loader nor the
 * coverage of the tests is in it: a second copy of the library would be counted as the first.
 */
export async function runAlone (first: string, code: string): Promise<unknown> {
  const text =
    `${first}\nimport Fastify from 'fastify'\nconst answers = []\n${code}\nconsole.log(JSON.stringify(answers))`
  const args = ['--import', 'tsx', '--input-type=module', '-e', text]
  return JSON.parse(await runPlain(process.execPath, args, { cwd: root }))
}

/** A second copy of the library, where its packages are found. */
export async function copyOfLib (t: Test): Promise<string> {
  const copy = t.testdir({})
  await cp(join(root, 'lib'), copy, { recursive: true })
  return copy
}
