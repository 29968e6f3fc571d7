/** Node 20.19.0 and 20.19.1 differ from later releases: in the requests that they refuse, and in their warnings. */
export const isOldestNode = /^v20\.19\.[01]$/.test(process.version)
