/**
 * Loads TypeScript in the processes of tests, by esbuild: a fraction of the time that the runner's own loader takes,
 * and, unlike with tsx, coverage finds its lines again.
 */
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
