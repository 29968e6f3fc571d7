import { setTimeout as sleep } from 'node:timers/promises'
import type { LightMyRequestResponse as Response } from 'fastify'
import { ask, type Owner, type Plan } from './objects.js'

/** The routes by which a user reads records. */
export const readsOf = (plans: readonly Plan[]): readonly Plan[] =>
  plans.filter(({ route, unknown }) => route.method === 'GET' && unknown.length === 0)

/** Whether a route takes a tenant and no other id, so that it may show what belongs to both users. */
export const isShared = ({ route, kinds }: Plan): boolean => route.bound.length > 0 && kinds.length === 0

/**
 * Reads records as a user. The first time this may change them, such as the mark of a mail that is not read yet.
 * @param others ids instead of the user's own, by name
 */
export async function readAll (who: Owner, reads: readonly Plan[], others = {}): Promise<Response[]> {
  const answers: Response[] = []
  for (const plan of reads) answers.push(await ask(plan, who, others))
  return answers
}

/** Reads again, and returns the plans whose answers are others than before, with the new answer. */
export async function findChanges (
  who: Owner, reads: readonly Plan[], before: readonly Response[]
): Promise<Array<[plan: Plan, answer: Response]>> {
  const textOf = (answer?: Response) => `${answer?.statusCode} ${answer?.body}`
  const after = await readAll(who, reads)
  const changedIn = (later: Response[]) => reads
    .map((plan, i): [Plan, Response] => [plan, after[i] as Response])
    .filter(([, answer], i) => differs(textOf(before[i]), textOf(answer), textOf(later[i])))
  let changes = changedIn(after)
  // A clock may have ticked between the first two reads. Then it also changes the next one.
  for (const ms of [2, 1100]) {
    if (changes.length === 0) break
    await sleep(ms)
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
