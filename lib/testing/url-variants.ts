import type { FastifyInstance } from 'fastify'
import type { RouterSettings } from './url.js'

/** Another way to write a URL that the router may take for the same route. */
export interface UrlVariant {
  readonly label: string
  /** Changes what is no parameter. */
  textOf? (text: string): string
  /** Comes behind the path. */
  readonly suffix?: string
}

export function routerSettings ({ initialConfig }: FastifyInstance): RouterSettings {
  const { caseSensitive = true, ignoreTrailingSlash = false, ignoreDuplicateSlashes = false } = { ...initialConfig, ...initialConfig.routerOptions }
  return { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes }
}

/** A guard that reads the URL by itself, by its prefix say, may not know what the router makes of these. */
export function variantsOf ({ caseSensitive, ignoreDuplicateSlashes }: RouterSettings): UrlVariant[] {
  return [
    // The root of a prefix is served with a slash and without one whatever the options say.
    { label: 'with a slash behind', suffix: '/' },
    ...caseSensitive ? [] : [{ label: 'in capitals', textOf: (text: string) => text.toUpperCase() }],
    ...ignoreDuplicateSlashes ? [{ label: 'with two slashes', textOf: (text: string) => text.replace('/', '//') }] : []
  ]
}
