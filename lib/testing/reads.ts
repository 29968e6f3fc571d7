import timers from 'node:timers/promises'
import type { LightMyRequestResponse as Response } from 'fastify'
import { ask, type Owner, type Plan } from './objects.js'

/** The routes by which a user reads records. */
export const readsOf = (plans: readonly Plan[]): readonly Plan[] =>
  plans.filter(({ route, unknown }) => route.method === 'GET' && unknown.length === 0)

/** Whether a route takes a tenant and no other id, so that it may show what belongs to both users. */
export const isShared = ({ route, kinds }: Plan): boolean => route.bound.length > 0 && kinds.length === 0

export type Read = readonly [plan: Plan, answer: Response]

/** Reads records as a user. The first time this may change them, such as the mark of a mail that is not read yet. */
export async function readAll (who: Owner, reads: readonly Plan[]): Promise<Read[]> {
  const answers: Read[] = []
  for (const plan of reads) answers.push([plan, await ask(plan, who)])
  return answers
}

/** Reads again, and returns the answers that are others than before. */
export async function findChanges (who: Owner, before: readonly Read[]): Promise<Read[]> {
  const reads = before.map(([plan]) => plan)
  const textOf = ([, answer]: Read) => `${answer.statusCode} ${answer.body}`
  const after = await readAll(who, reads)
  const changedIn = (later: Read[]) =>
    after.filter((read, i) => differs(textOf(before[i] as Read), textOf(read), textOf(later[i] as Read)))
  let changes = changedIn(after)
  // A clock may have ticked between the first two reads. Then it also changes the next one.
  for (const ms of [2, 1100]) {
    if (changes.length === 0) break
    await timers.setTimeout(ms)
    changes = changedIn(await readAll(who, reads))
  }
  return changes
}

/** Whether `two` has a word that `one` lacks and `again` repeats. Other words, such as a time, do not count. */
export function differs (...texts: [one: string, two: string, again: string]): boolean {
  const [one, two, again] = texts.map((text) => text.split(/[\s"',;<>{}[\]]+/)) as [string[], string[], string[]]
  return two.length === again.length &&
    (one.length !== two.length || two.some((word, i) => word !== one[i] && word === again[i]))
}
