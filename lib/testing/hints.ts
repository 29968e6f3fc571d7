import { constraintsText, type AppRoute } from './app-routes.js'
import type { Failure, Finding } from './findings.js'
import { parseUrl } from './url.js'

/** The end of a note on what a host may mean so. */
export const mend = ', or allow: [{names}]'

export const tokenNotTaken = "alice's token is not taken: is the plugin registered with the options of the issuer?"

/** What to do where alice did not get in. */
export function hints (route: AppRoute, missing: readonly string[], failures: readonly Failure[]): string[] {
  const kept = failures.filter(({ expected }) => expected === 'its handler')
  if (kept.length === 0) return []
  const isAnswered = (form: RegExp) => kept.every(({ answer }) => form.test(answer))
  if (isAnswered(/^401\b/)) return [tokenNotTaken]
  if (isAnswered(/^its handler/)) return [`a hook changes ":${route.parameter}" after it was compared, and the handler sees another's id`]
  if (isAnswered(/^403\b/)) return ['alice is kept from her own path: does a hook change the id, or need more than her token?']
  if (kept.every(({ answer }) => answer.includes(`params/${route.parameter} `)) || (isAnswered(/^404, no route/) && hasPattern(route))) return [`not tried to the end: alice's id does not fit ":${route.parameter}": give alice and bob ids such as your users have`]
  return [unfinished(route, missing)]
}

const hasPattern = ({ url, parameter }: AppRoute) => parseUrl(url).some((part) => 'name' in part && part.name === parameter && part.pattern !== null)

export function unfinished (route: AppRoute, missing: readonly string[]): string {
  const cause = missing.length > 0 ? ` (${missing.join('; ')})` : constraintsText(route.constraints)
  return `not tried to the end${cause}: give what the request needs, params: { {name}: { path, query, headers, body } }`
}

/** What to do where the host is too slow, or has had enough. */
export function hostHints (failures: readonly Failure[]): string[] {
  return [
    ...failures.some(({ answer }) => answer.startsWith('none: no answer')) ? ['not tried to the end: does a hook wait for what is not there in tests? "timeout" gives it longer'] : [],
    ...failures.some(({ answer }) => answer.startsWith('429')) ? ['not tried to the end: a rate limit of the host, which tests should raise'] : []
  ]
}

/** The head of what is found on a route. */
export const describeRoute = ({ method, url, access, source, constraints }: AppRoute): Pick<Finding, 'methods' | 'url' | 'level'> =>
  ({ methods: [method], url, level: `(${access}${source === 'none' ? '' : `, ${source}`})${constraintsText(constraints)}` })
