import { Type, type TProperties } from '@sinclair/typebox'
import { claimsSchema } from './claims-schema.js'
import { issuerSchema } from './issuers.js'
import { revocationsSchema } from './revocations.js'
import { rightsSchemas } from './rights.js'
import { claimName, flag, oneOf, seconds, text, texts } from './schemas.js'

const falseOr = <T extends TProperties>(properties: T, names: string) => Type.Union([
  Type.Literal(false), Type.Object(properties, { additionalProperties: false })
], { expects: `left out, or be false, or an object with ${names}` })

const oneText = (claim: string) => text(`a non-empty string, compared with "${claim}" exactly, ` +
  'without white space at its ends (one of several: by a schema in option "claims")')

export const optionsSchema = Type.Object({
  secret: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    expects: 'a string, or a list of strings with the current secret first (keys of an issuer: option "issuers")'
  })),
  issuers: Type.Optional(Type.Array(issuerSchema, {
    minItems: 1, expects: 'a list of at least one { issuer, audience, jwksUri, … }'
  })),
  issuer: Type.Optional(oneText('iss')),
  audience: Type.Optional(oneText('aud')),
  algorithms: Type.Optional(Type.Array(oneOf(['HS256', 'HS384', 'HS512']), {
    minItems: 1,
    uniqueItems: true,
    expects: 'a list of HS256, HS384 and HS512, at least one and each once (others are for option "issuers")'
  })),
  userIdClaim: Type.Optional(claimName),
  userIdParam: Type.Optional(text(
    'the name of a path parameter: letters, digits and underscores, no colon; not "__proto__"', /^(?!__proto__$)\w+$/
  )),
  requireStatedAccess: Type.Optional(flag),
  claims: Type.Optional(claimsSchema),
  clockTolerance: Type.Optional(seconds(0, 3600)),
  maxTokenAge: Type.Optional(seconds(1, 315_576_000, 'ten years')),
  ...rightsSchemas,
  revocations: Type.Optional(revocationsSchema),
  decoratorName: Type.Optional(text(
    'a JavaScript identifier, but for __proto__, constructor, prototype and validationError',
    /^(?!(__proto__|constructor|prototype|validationError)$)[A-Za-z_$][\w$]*$/
  )),
  cache: Type.Optional(falseOr({
    max: Type.Optional(Type.Integer({
      minimum: 1, maximum: 10_000_000, expects: 'a number of tokens from 1 to 10000000, without a fraction'
    })),
    ttl: Type.Optional(seconds(1, 86_400))
  }, 'max and ttl')),
  openapi: Type.Optional(falseOr({
    schemeName: Type.Optional(text('a component name: letters, digits, ".", "_" and "-"', /^[A-Za-z0-9._-]+$/)),
    description: Type.Optional(Type.String({ expects: 'a string' })),
    decorator: Type.Optional(texts('the name of a decorator, or a list of names, at least one'))
  }, 'schemeName, description and decorator'))
}, { additionalProperties: false, note: 'who may call a route stands in its config.access' })
