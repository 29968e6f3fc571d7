// A shared package exports what it has made with the plugin. Its declarations must name every type.
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import {
  auth0, getOwnerId, getUser, InvalidOptionError, requireScopes, TokenExpiredError, untilRevoked, userScope,
  type UserScopeOptions
} from 'fastify-user-scope'
import { redisRevocations } from 'fastify-user-scope/redis'
import { assertOwnership, createIssuer, createKey, routeTable } from 'fastify-user-scope/testing'

export const wrapper = async (app: FastifyInstance, options: UserScopeOptions) => {
  await app.register(userScope, options)
}

export async function buildApp () {
  const app = Fastify()
  await app.register(userScope)
  return app
}

export const functions = { auth0, getOwnerId, getUser, redisRevocations, requireScopes, untilRevoked, userScope }
export const ofRequest = ({ user, routeOptions }: FastifyRequest) => [user, routeOptions.config.access] as const
export const ofApp = ({ userScope }: FastifyInstance) => [userScope, userScope.routes(), userScope.issuers()] as const
export const errors = { InvalidOptionError, TokenExpiredError }
export class StaleError extends TokenExpiredError {}
export const kit = { assertOwnership, createIssuer, createKey, routeTable }
export const issuer = createIssuer()
export const remote = async () => await createIssuer({ mode: 'jwks' })
