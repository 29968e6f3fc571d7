import type { AppRoute } from './app-routes.js'
import { carriesBearer, schemesOf, type ApiDocument, type SecurityRequirement } from '../openapi/annotate.js'

/** What is wrong with the security schemes that an operation names, where the server takes a bearer token. */
export function schemeNotes (security: readonly SecurityRequirement[], document: ApiDocument, { scope }: AppRoute): string[] {
  const schemes = schemesOf(document)
  const names = [...new Set(security.flatMap((requirement) => Object.keys(requirement)))]
  const undefinedNotes = names.filter((name) => !Object.hasOwn(schemes, name)).map((name) => `it names the security scheme "${name}", which the document does not define`)
  // Outside of every scope the host may take what it likes.
  if (undefinedNotes.length > 0 || names.length === 0 || scope === null) return undefinedNotes
  const isMet = security.some((requirement) => Object.keys(requirement).length > 0 && Object.keys(requirement).every((name) => carriesBearer(schemes[name])))
  return isMet ? [] : [`no security requirement of it is met by a bearer token alone: ${names.join(', ')}`]
}
