import type { FastifyRequest } from 'fastify'
import type { DelegateQuestion, MayActFor } from '../contract/access.js'
import { refuse, type Refusal } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'
import { timeLimit, within } from '../contract/within.js'
import { isThenable } from './judgement.js'
import { methodOf } from './method.js'

/**
 * Asks the host's `mayActFor`. Only `true` admits the user. An error, or no answer in time, is 503.
 * @returns null if the user may act for the owner; a promise only if the host returns one
 */
export function askMayActFor (
  mayActFor: MayActFor, request: FastifyRequest, user: VerifiedUser, ownerId: string
): Refusal | null | Promise<Refusal | null> {
  const { routeOptions: { url: route = '' }, params } = request
  const unavailable = (error: unknown): Refusal => {
    try {
      request.log.error({ err: error }, 'fastify-user-scope: option "mayActFor" failed')
    } catch {} // a getter of the error may throw
    return refuse('ACCESS_CHECK_UNAVAILABLE', 'option "mayActFor" failed', { retryAfter: timeLimit })
  }
  try {
    const question = { user, ownerId, method: methodOf(request), route, params: params as DelegateQuestion['params'] }
    const answer: unknown = mayActFor(question)
    return isThenable(answer) ? within(answer, timeLimit).then(outcomeOf, unavailable) : outcomeOf(answer)
  } catch (error) {
    return unavailable(error)
  }
}

const outcomeOf = (answer: unknown): Refusal | null => answer === true
  ? null
  : refuse('FORBIDDEN_USER_ACCESS', `option "mayActFor" did not answer true${mistakeOf(answer)}`)

const fix = 'Fix: let it return true or false, and compare where it has a list or a text, because Boolean([]) and ' +
  'Boolean(\'0\') are true'

/** An answer that was meant as a yes, such as the row of a database, must not look like a no. */
const mistakeOf = (answer: unknown): string =>
  answer === false ? '' : `, but a value of type ${typeof answer}. ${fix}`
