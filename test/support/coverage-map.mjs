/** What must be covered: the package, and not what tests load beside it, such as the built one and the examples. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const files = readdirSync('lib', { recursive: true })
  .filter((file) => file.endsWith('.ts')).map((file) => join('lib', file))

export default () => files
