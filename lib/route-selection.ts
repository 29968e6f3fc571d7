import { asGet, nameOf, type AppRoute } from './app-routes.js'

/** `'METHOD url'` of a route as declared, or an expression that is tried on it. That of a GET route holds for its HEAD route too. */
export type RouteName = string | RegExp

/** What the host chose not to have judged. */
export class Selection {
  readonly #names: readonly RouteName[]
  readonly #used = new Set<RouteName>()

  constructor (names: readonly RouteName[]) {
    this.#names = names
  }

  has (route: Pick<AppRoute, 'method' | 'url'>): boolean {
    const names = [nameOf(route), nameOf(asGet(route))]
    const found = this.#names.filter((each) => names.some((name) => typeof each === 'string' ? each === name : new RegExp(each).test(name)))
    for (const name of found) this.#used.add(name)
    return found.length > 0
  }

  /** Those that no route was asked about by: what is allowed no more should not stay allowed. */
  unused (): RouteName[] {
    return this.#names.filter((name) => !this.#used.has(name))
  }
}
