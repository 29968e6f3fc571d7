import type { ApiDocument } from '../openapi/annotate.js'

/** Says below which paths the API is served. */
interface Served extends ApiDocument {
  basePath?: string
  servers?: Array<{ url: string, variables?: Record<string, { default: string }> }> | null
}

/** What `stripBasePath` cuts from the URLs of routes, one after the other. */
export function basePaths ({ basePath = '', servers }: Served): string[] {
  const ofServers = (servers ?? []).map(({ url, variables }) => {
    const filled = url.replace(/\{([^{}]+)\}/g, (text, name: string) => variables?.[name]?.default ?? text)
    return URL.canParse(filled) ? new URL(filled).pathname : filled
  })
  return [basePath, ...ofServers].filter((path) => path !== '/')
}
