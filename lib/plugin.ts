import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { InvalidOptionError } from './contract/errors.js'
import type { UserScopeOptions } from './contract/options.js'
import type { VerifiedUser } from './contract/types.js'
import { createGuard } from './guard/guard.js'
import { kJudgement, kReply, kForHandlers } from './guard/request.js'
import { annotateDocuments } from './openapi/documents.js'
import { readOptions } from './options/settings.js'
import { secretTokens } from './presets/better-auth.js'
import { createRevoke, Revocations } from './revocations/revocations.js'
import { Watches } from './revocations/watches.js'
import { rootOf } from './routes/app-routes.js'
import { warnOfGaps } from './routes/gaps.js'
import { printRoutes } from './routes/print.js'
import { addRegistration, registrationsOf } from './routes/registrations.js'
import { RouteTable } from './routes/table.js'
import { TokenCache } from './token/cache.js'
import { findExpiry } from './token/claim-rules.js'
import { createKeys, createVerifier } from './token/create-verifier.js'

async function plugin (fastify: FastifyInstance, options: UserScopeOptions): Promise<void> {
  // The secret may be Better Auth's, which signs other tokens with it, too.
  const settings = readOptions(options, process.env, secretTokens())
  const { decoratorName, issuers, openapi } = settings
  const table = new RouteTable(fastify, settings)
  addRegistration(table)
  assertFree(fastify, decoratorName)
  // A child context that already exists does not inherit the decorator, and may have its own.
  for (const { context, url } of table.declared()) assertFree(context, decoratorName, ` of ${url}`)

  const cache = settings.cache ? new TokenCache(settings.cache) : null
  const keys = await createKeys(issuers, fastify.log, () => cache?.clear())
  const verifier = await createVerifier(fastify, settings, keys)
  const revocations = settings.revocations &&
    new Revocations(settings.revocations, settings, fastify.log, rootOf(fastify), () => watches.lookSoon())
  // Expiry by the general options, because an entry in `issuers` has no limits of time of its own. Revocation without
  // `check`, because a store that is down must not end open connections.
  const findEnd = (user: VerifiedUser) =>
    findExpiry(user, settings.claimRules) ?? revocations?.findRevocation(user) ?? null
  const watches = new Watches(findEnd)
  const guard = createGuard(settings, (request) => table.demandOf(request), verifier, cache, revocations)

  fastify.decorate('userScope', Object.freeze({
    routes: () => table.list(),
    printRoutes: () => printRoutes(table.list()),
    issuers: () => keys.map((each) => each.status()),
    revoke: createRevoke(revocations)
  }))
  for (const name of [decoratorName, kJudgement, kReply]) fastify.decorateRequest(name, null)
  const forHandlers = { refuseLate: guard.refuseLate, watches }
  fastify.decorateRequest(kForHandlers, { getter: () => forHandlers })
  fastify.addHook('onRequest', guard.onRequest)
  fastify.addHook('preHandler', guard.preHandler)

  const stop = () => {
    for (const each of keys) each.stop()
    revocations?.stop()
  }
  fastify.addHook('onClose', async () => { stop() })

  fastify.addHook('onReady', async () => {
    const routes = table.settle()
    warnOfGaps(table, routes, registrationsOf(fastify))
    try {
      await Promise.all([...keys.map((each) => each.load()), revocations?.start()])
      if (openapi) await annotateDocuments(fastify, openapi, routes)
    } catch (error) {
      stop() // otherwise fetches and the store's connection would keep the process alive after a failed boot
      throw error
    }
  })
}

/** @throws InvalidOptionError */
function assertFree (fastify: FastifyInstance, decoratorName: string, ofRoute = ''): void {
  if (fastify.hasRequestDecorator(decoratorName)) {
    throw new InvalidOptionError(`option "decoratorName": the request${ofRoute} already has a property ` +
      `"${decoratorName}" (@fastify/jwt and @fastify/passport add one named "user"). Choose another name here or there`)
  }
}

/**
 * Guards the context in which it is registered: verifies bearer tokens, decorates requests with their user, and refuses
 * a request whose path parameter is not that user's id.
 * @throws InvalidOptionError, InvalidRouteError, AlreadyRegisteredError, KeysUnreachableError or
 * RevocationsUnreachableError at boot
 */
export const userScope = fp(plugin, { name: 'fastify-user-scope', fastify: '5.x' })
