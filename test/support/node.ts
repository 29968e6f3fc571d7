/** Node 20.19.0 and 20.19.1 pass some requests on that later releases refuse themselves. */
export const isOldestNode = /^v20\.19\.[01]$/.test(process.version)
