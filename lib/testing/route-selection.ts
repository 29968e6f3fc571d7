import { isRegExp } from 'node:util/types'
import { asGet, type AppRoute } from './app-routes.js'
import { nameOf } from './app-routes.js'

/** `'METHOD url'` of a route as declared, or an expression that is tried on it. That of a GET route holds for its HEAD route too. */
export type RouteName = string | RegExp

/** What the host chose not to have judged. */
export class Selection {
  readonly #names: readonly RouteName[]
  readonly #used = new Set<RouteName>()

  /** @throws TypeError where it is no list of names: an expression made of what is neither would allow every route */
  constructor (names: readonly RouteName[]) {
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' || isRegExp(name))) {
      throw new TypeError("option \"allow\" must be a list of routes: allow: ['GET /users/:user_id', /^GET \\/docs/]")
    }
    this.#names = names
  }

  has (route: Pick<AppRoute, 'method' | 'url'>): boolean {
    const names = [nameOf(route), nameOf(asGet(route))]
    const found = this.#names.filter((each) => names.some((name) => typeof each === 'string' ? each === name : new RegExp(each).test(name)))
    for (const name of found) this.#used.add(name)
    return found.length > 0
  }

  /** The routes that this call judges. What is allowed of the others is for the call that judges those, and counts as used. */
  narrow<R extends Pick<AppRoute, 'method' | 'url'>> (routes: readonly R[], only: (route: R) => boolean): R[] {
    return routes.filter((route) => {
      const isJudged = only(route)
      if (!isJudged) this.has(route)
      return isJudged
    })
  }

  /** Those that no route was asked about by: what is allowed no more should not stay allowed. */
  unused (): RouteName[] {
    return this.#names.filter((name) => !this.#used.has(name))
  }
}
