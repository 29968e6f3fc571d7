import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createClaimsReader } from './token/claims.js'
import { annotateDocuments, lineage } from './openapi/documents.js'
import { AlreadyRegisteredError, InvalidOptionError } from './contract/errors.js'
import { createGuard, kUser } from './guard/guard.js'
import { findLateRoutes, nameHooks } from './routes/late-routes.js'
import { createJwksVerifier } from './token/jwks-verifier.js'
import { secretTokens } from './presets/better-auth.js'
import { issuerRules, readOptions, type Settings } from './options/settings.js'
import { RemoteKeys } from './keys/remote-keys.js'
import { printRoutes, RouteTable } from './routes/table.js'
import { recordScope } from './routes/scopes.js'
import { createSecretVerifier } from './token/secret-verifier.js'
import { TokenCache } from './token/cache.js'
import type { UserScopeOptions } from './contract/types.js'
import { routeByIssuer, type Verifier } from './token/verifier.js'

const name = 'fastify-user-scope'

async function plugin (fastify: FastifyInstance, options: UserScopeOptions): Promise<void> {
  const settings = readOptions(options, process.env, secretTokens())
  assertFree(fastify, settings)
  const table = new RouteTable(settings.userIdParam)
  const names = nameHooks()
  const cache = settings.cache ? new TokenCache(settings.cache) : null
  const keys = settings.issuers.map((issuer) => new RemoteKeys(issuer, fastify.log, () => cache?.clear()))
  const guard = createGuard(settings, await createVerifier(fastify, settings, keys), table.levelOf, names, cache)
  const contexts = new Set(lineage(fastify))
  recordScope({ context: fastify, param: settings.userIdParam, guard: names.guard, table })

  fastify.decorate('userScope', Object.freeze({ routes: () => table.list(), printRoutes: () => printRoutes(table.list()), issuers: () => keys.map((each) => each.status()) }))
  fastify.decorateRequest(settings.decoratorName, null)
  fastify.decorateRequest(kUser, null)
  fastify.decorateRequest(guard.kState, null)

  fastify.addHook('onRegister', (context) => { contexts.add(context) })
  fastify.addHook('onRequest', guard.onRequest)
  fastify.addHook('preHandler', guard.preHandler)
  fastify.addHook('onRoute', (route) => {
    table.add(route)
    route.preHandler = [...[route.preHandler ?? []].flat(), guard.lastPreHandler]
  })

  fastify.addHook('onReady', async () => {
    table.settle(findLateRoutes(fastify, names, settings.userIdParam, table.names()))
    // Not what @fastify/cors makes for preflights: it is to be registered first, and whoever asks is let through either way.
    const routes = table.late.filter(({ access }) => access !== 'public')
    if (routes.length > 0) {
      fastify.log.warn({ routes }, `${name}: these routes were declared before the plugin; each is guarded by its config.access or its URL, but await the registration first`)
    }
    await Promise.all(keys.map((each) => each.load()))
    if (settings.openapi) await annotateDocuments(contexts, settings.openapi, names.guard, table)
  })
}

/** Secrets alone, issuers alone, or both side by side. */
async function createVerifier (fastify: FastifyInstance, settings: Settings, keys: readonly RemoteKeys[]): Promise<Verifier> {
  if (keys.length === 0) return await createSecretVerifier(fastify, settings)
  const { otherTokens } = settings
  const byIssuer = new Map(keys.map((each) => [each.settings.issuer, createJwksVerifier(each, createClaimsReader(issuerRules(settings, each.settings)))]))
  if (settings.secrets.length === 0) return routeByIssuer(byIssuer, undefined, otherTokens)
  const ofSecret = { verify: await createSecretVerifier(fastify, settings), issuer: settings.claimRules.issuer }
  return routeByIssuer(byIssuer, ofSecret, otherTokens)
}

/** @throws AlreadyRegisteredError, InvalidOptionError */
function assertFree (fastify: FastifyInstance, { decoratorName }: Settings): void {
  if (fastify.hasDecorator('userScope')) {
    throw new AlreadyRegisteredError('the plugin is registered in this context already, or in one around it. Register it once, or in sibling contexts')
  }
  if (fastify.hasRequestDecorator(decoratorName)) {
    throw new InvalidOptionError(`option "decoratorName": the request has a property "${decoratorName}" already (@fastify/jwt makes one named "user"). Choose another name here, or there`)
  }
}

/**
 * Guards the context in which it is registered: verifies bearer tokens, decorates requests with their user, and refuses a request
 * whose path parameter is not that user's id.
 * @throws InvalidOptionError, InvalidRouteError, AlreadyRegisteredError while the host boots
 */
export const userScope = fp(plugin, { name, fastify: '5.x' })
