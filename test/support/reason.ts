import { detailsOf, type Refusal } from '../../lib/contract/errors.js'

/** Why something is refused, or nothing. */
export function reason (run: () => void): string | undefined {
  try {
    run()
  } catch (error) {
    return `${(error as Refusal).code}: ${detailsOf(error as Refusal).reason}`
  }
  return undefined
}
