import { asGet, type AppRoute } from './app-routes.js'
import { schemeNotes } from './document-schemes.js'
import { describeAnswer } from './findings.js'
import { withToken, type HeldAnswer, type HeldRequest, type HeldRequests } from './held-requests.js'
import { tokenNotTaken } from './hints.js'
import { nameOf } from './app-routes.js'
import type { ApiDocument, Operation } from '../openapi/annotate.js'
import type { Tokens } from './people.js'
import type { RouteRequests } from './route-requests.js'

/** An operation of a document, under the method and the path that it has there. */
export interface Documented { readonly method: string, readonly url: string, readonly operation: Operation }

/** Where a document and a server part. */
export interface Drift {
  readonly notes: readonly string[]
  /** The first request that showed it. */
  readonly repeat: HeldRequest | undefined
}

interface Check {
  readonly who: string
  readonly request: HeldRequest
  /** What the answer has against the document; null for nothing. */
  faultOf (answer: HeldAnswer): string | null
}

/** Asks a route for what its operation says of tokens. */
export async function compare ({ operation }: Documented, document: ApiDocument, route: AppRoute, { bare }: RouteRequests, tokens: Tokens, held: HeldRequests): Promise<Drift> {
  const security = operation.security ?? document.security ?? []
  const notes = schemeNotes(security, document, route)
  let repeat: HeldRequest | undefined
  for (const { who, request, faultOf } of checksFor(describe(security), operation, route, bare, tokens)) {
    const answer = await held.send(request)
    const fault = faultOf(answer)
    if (fault === null) continue
    repeat ??= request
    notes.push(`${fault}, and a request ${who} ${answer.reached === null ? 'is answered' : 'goes on to'} ${describeAnswer(answer, route.url)}`)
  }
  return { notes, repeat }
}

type Says = 'open' | 'guarded' | 'guarded where a token comes'

function describe (security: readonly object[]): Says {
  if (security.length === 0) return 'open'
  return security.some((requirement) => Object.keys(requirement).length === 0) ? 'guarded where a token comes' : 'guarded'
}

function checksFor (says: Says, { responses }: Operation, route: AppRoute, bare: RouteRequests['bare'], tokens: Tokens): Check[] {
  const [alice, bob] = [tokens.alice, tokens.bob].map((owner) => bare(encodeURIComponent(owner))) as [HeldRequest, HeldRequest]
  const listed = Object.keys(responses ?? {}).map((status) => status.toUpperCase())
  const contradiction = `the document says ${says}`
  const unlisted = ({ status }: HeldAnswer) => [String(status), '4XX', 'DEFAULT'].some((each) => listed.includes(each)) ? null : `the document lists no ${status}`
  const refused: Check['faultOf'] = (answer) => isRefusal(answer) ? unlisted(answer) : contradiction
  const letIn: Check['faultOf'] = (answer) => {
    if (isEntry(answer)) return null
    return isRefusal(answer) ? contradiction : `it cannot be compared: give what it needs, params: { '${nameOf(asGet(route))}': { path, headers } }`
  }
  const checks = [
    { who: 'without a token', request: alice, faultOf: says === 'guarded' ? refused : letIn },
    { who: 'with a forged token', request: withToken(tokens.forged, alice), faultOf: says === 'open' ? letIn : refused }
  ]
  // Outside of every scope it is for the host to say whose token is good.
  if (says !== 'open' && route.scope) checks.push({ who: 'with a good token', request: withToken(tokens.good, alice), faultOf: (answer) => isStatus(answer, 401) ? tokenNotTaken : null })
  if (says === 'guarded' && route.parameter !== null) {
    // Hosts hide what is another's as if it were not there; that the guard is asked is known.
    const isForbidden = (answer: HeldAnswer) => isStatus(answer, 403, ...route.access === 'owner' ? [404] : [])
    // Where it is not listed, others may well be let in.
    checks.push({ who: "of alice to bob's path", request: withToken(tokens.good, bob), faultOf: (answer) => listed.includes('403') ? isForbidden(answer) ? null : contradiction : isStatus(answer, 403) ? unlisted(answer) : null })
  }
  return checks
}

const isStatus = ({ status, reached }: HeldAnswer, ...statuses: number[]) => reached === null && statuses.includes(status)

const isRefusal = (answer: HeldAnswer) => isStatus(answer, 401, 403)

/** Validation is behind the guard, and refuses what has no query and no body. */
const isEntry = (answer: HeldAnswer) => answer.reached !== null || (answer.status >= 200 && answer.status < 400) || isStatus(answer, 400, 413, 415, 422)
